/** More seeds for every arm of a study. */
import { Button, Group, Modal, NumberInput, Text } from "@mantine/core";
import { useState } from "react";
import type { StudyDetail } from "../../api/types";
import { count } from "../../format/numbers";
import { MOST_SEEDS } from "./comparison/SeedsNeeded";
import { useStudyChanges } from "./useStudyChanges";

interface DialogProps {
  study: StudyDetail;
  opened: boolean;
  onClose: () => void;
}

export function ExtendDialog({ study, opened, onClose }: DialogProps) {
  const { extend } = useStudyChanges(study.id);
  const [seeds, setSeeds] = useState<number>();
  const next = study.spec.plan?.looks?.find((look) => look > study.seeds);
  const wanted = seeds ?? next ?? Math.min(MOST_SEEDS, study.seeds + 3);
  const more = (wanted - study.seeds) * study.arm_count;
  return (
    <Modal opened={opened} onClose={onClose} title="Extend the study" centered>
      <NumberInput
        label="Seeds per arm"
        description={`There are ${study.seeds} now; what is trained already stays as it is.`}
        min={study.seeds + 1}
        max={MOST_SEEDS}
        value={wanted}
        onChange={(value) => setSeeds(Number(value))}
        data-autofocus
      />
      <Text size="sm" c="dimmed" mt="sm">
        {study.spec.plan && whatThePlanSays(study.spec.plan.seeds ?? study.seeds, next, wanted)}
        {more > 0 ? `${count(more, "more run")} will be queued.` : "Choose more seeds than there are."}
      </Text>
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button
          loading={extend.isPending}
          disabled={more <= 0}
          onClick={() => extend.mutate({ seeds: wanted, arms: [] }, { onSuccess: onClose })}
        >
          Queue {count(more, "run")}
        </Button>
      </Group>
    </Modal>
  );
}

/** Where so many seeds stand in the study's plan. `most`: what it uses, `next`: its next look. */
export function whatThePlanSays(most: number, next: number | undefined, wanted: number): string {
  if (wanted > most)
    return `The plan ends at ${count(most, "seed")}: those beyond only explore, and change no verdict. `;
  if (next !== undefined && wanted < next)
    return `The plan looks next at ${count(next, "seed")}: before, no verdict is drawn. `;
  return "";
}
