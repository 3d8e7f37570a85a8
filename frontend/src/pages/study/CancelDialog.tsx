/** Asks once before the runs of a study are cancelled. */
import { Button, Group, Modal, Text } from "@mantine/core";
import type { StudyDetail } from "../../api/types";
import { count } from "../../format/numbers";
import { useStudyChanges } from "./useStudyChanges";

interface DialogProps {
  study: StudyDetail;
  opened: boolean;
  onClose: () => void;
}

export function CancelDialog({ study, opened, onClose }: DialogProps) {
  const { cancel } = useStudyChanges(study.id);
  const { queued, running } = study.counts;
  return (
    <Modal opened={opened} onClose={onClose} title="Cancel the runs of this study?" centered>
      <Text size="sm">
        {count(queued, "queued run")} will not start and {count(running, "running run")} will stop at the next step.
        What is measured so far stays, and cancelled runs can be queued again.
      </Text>
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Keep them running
        </Button>
        <Button color="red" loading={cancel.isPending} onClick={() => cancel.mutate(undefined, { onSettled: onClose })}>
          Cancel the runs
        </Button>
      </Group>
    </Modal>
  );
}
