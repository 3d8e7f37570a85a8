/** Asks once, and says what goes, before an archived study is deleted for good. */
import { Button, Group, Modal, Text } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { deleteStudy, studyKeys } from "../api/studies";
import type { StudySummary } from "../api/types";
import { count } from "../format/numbers";
import { tell, tellError } from "./tell";

interface DialogProps {
  study: Pick<StudySummary, "id" | "name" | "counts">;
  opened: boolean;
  onClose: () => void;
}

export function DeleteStudyDialog({ study, opened, onClose }: DialogProps) {
  const client = useQueryClient();
  const navigate = useNavigate();
  const remove = useMutation({
    mutationFn: () => deleteStudy(study.id),
    onSuccess: async () => {
      tell(`“${study.name}” is deleted.`);
      await navigate({ to: "/", search: { archived: true } });
      client.removeQueries({ queryKey: studyKeys.study(study.id) });
      await client.invalidateQueries({ queryKey: studyKeys.lists });
    },
    onError: tellError,
    onSettled: onClose,
  });
  return (
    <Modal opened={opened} onClose={onClose} title="Delete this study for good?" centered>
      <Text size="sm">
        “{study.name}” goes with its {count(study.counts.total, "run")}: every number and chart, adapters, its report,
        and all share links. This cannot be undone; only backups that were made before still hold it.
      </Text>
      <Group justify="end" mt="lg">
        <Button variant="default" onClick={onClose}>
          Keep it
        </Button>
        <Button color="red" loading={remove.isPending} onClick={() => remove.mutate()}>
          Delete it for good
        </Button>
      </Group>
    </Modal>
  );
}
