/** Archiving with a way back: the note that says it is done offers to undo it. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { archiveStudy, restoreStudy, studyKeys } from "../api/studies";
import { tellError } from "./tell";

export function useArchive() {
  const client = useQueryClient();
  const refresh = (id: string) =>
    Promise.all([
      client.invalidateQueries({ queryKey: studyKeys.lists }),
      client.invalidateQueries({ queryKey: studyKeys.study(id) }),
    ]);
  const restore = useMutation({
    mutationFn: restoreStudy,
    onSuccess: (study) => refresh(study.id),
    onError: tellError,
  });
  const archive = useMutation({
    mutationFn: ({ id }: { id: string; name: string }) => archiveStudy(id),
    onSuccess: async (study, { name }) => {
      await refresh(study.id);
      const note = notifications.show({
        autoClose: 10_000,
        message: (
          <Group justify="space-between" wrap="nowrap">
            <Text size="sm" lineClamp={2}>
              “{name}” is archived.
            </Text>
            <Button
              size="compact-sm"
              variant="light"
              onClick={() => {
                restore.mutate(study.id);
                notifications.hide(note);
              }}
            >
              Undo
            </Button>
          </Group>
        ),
      });
    },
    onError: tellError,
  });
  return { archive, restore };
}
