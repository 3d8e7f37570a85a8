/** Shows what the files of a study take before they are deleted. */
import { Button, Group, Modal, Skeleton, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { studyFiles } from "../../api/studies";
import type { StudyDetail } from "../../api/types";
import { bytes, count } from "../../format/numbers";
import { useStudyQueue } from "./useStudyQueue";

export function PurgeDialog({ study, opened, onClose }: { study: StudyDetail; opened: boolean; onClose: () => void }) {
  const { purge } = useStudyQueue(study.id);
  const { data: files } = useQuery({ ...studyFiles(study.id), enabled: opened });
  return (
    <Modal opened={opened} onClose={onClose} title="Delete the files of this study?" centered>
      {files ? (
        <Text size="sm">
          {files.bytes === 0
            ? "Its runs keep no files on disk."
            : `${count(files.adapters, "adapter")} and ${count(files.checkpoints, "checkpoint")} take ${bytes(files.bytes)}. Deleted, they cannot be downloaded any more, and a run that is retried starts afresh. Every number, chart and report stays.`}
        </Text>
      ) : (
        <Skeleton height={60} />
      )}
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Keep them
        </Button>
        <Button
          color="red"
          disabled={!files?.bytes}
          loading={purge.isPending}
          onClick={() => purge.mutate(undefined, { onSettled: onClose })}
        >
          Delete the files
        </Button>
      </Group>
    </Modal>
  );
}
