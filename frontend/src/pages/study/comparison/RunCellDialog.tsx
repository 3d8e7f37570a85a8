/** Adds one cell of the framework to the study as an arm, with the study's seeds. */
import { Button, Group, Modal, NumberInput, Text } from "@mantine/core";
import { useState } from "react";
import type { StudyDetail } from "../../../api/types";
import { count } from "../../../format/numbers";
import { useStudyChanges } from "../useStudyChanges";

export interface FrameworkCell {
  position: string;
  structure: string;
  consistency: string;
}

interface DialogProps {
  study: StudyDetail;
  cell: FrameworkCell;
  onClose: () => void;
}

export function RunCellDialog({ study, cell, onClose }: DialogProps) {
  const { extend } = useStudyChanges(study.id);
  const [rate, setRate] = useState<number | string>(0.1);
  const valid = typeof rate === "number" && rate >= 0 && rate < 1;
  const queue = () => {
    const sites = [{ position: cell.position, structure: cell.structure, rate }];
    const consistency = cell.consistency === "none" ? null : { kind: cell.consistency, weight: 0.5 };
    extend.mutate({ arms: [{ sites, consistency }] }, { onSuccess: onClose });
  };
  const what = `${cell.position.replaceAll("_", " ")} by ${cell.structure}`;
  return (
    <Modal opened onClose={onClose} title={`Run ${what}`} centered>
      <Text size="sm" c="dimmed" mb="sm">
        One arm more, trained with the same {count(study.seeds, "seed")}
        {cell.consistency !== "none" && ` and the consistency loss ${cell.consistency}`}.
      </Text>
      <NumberInput label="Rate" min={0} max={0.99} step={0.05} value={rate} onChange={setRate} data-autofocus />
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button disabled={!valid} loading={extend.isPending} onClick={queue}>
          Queue {count(study.seeds, "run")}
        </Button>
      </Group>
    </Modal>
  );
}
