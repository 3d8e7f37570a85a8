/** Archiving with a way back: the note that says it is done offers to undo it. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { api } from "../api/client";
import { unwrap } from "../api/problem";
import { studyKeys } from "../api/studies";
import { tellError } from "./tell";

export function useArchive() {
  const client = useQueryClient();
  const refresh = (id: string) =>
    Promise.all([
      client.invalidateQueries({ queryKey: studyKeys.lists }),
      client.invalidateQueries({ queryKey: studyKeys.study(id) }),
    ]);
  const restore = useMutation({
    mutationFn: async (id: string) =>
      unwrap(await api.POST("/api/v1/studies/{study_id}/restore", { params: { path: { study_id: id } } })),
    onSuccess: (study) => refresh(study.id),
    onError: tellError,
  });
  const archive = useMutation({
    mutationFn: async ({ id }: { id: string; name: string }) =>
      unwrap(await api.POST("/api/v1/studies/{study_id}/archive", { params: { path: { study_id: id } } })),
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
