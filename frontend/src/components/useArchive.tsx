/** Archiving with a way back, of one study or of many: the note that says it is done offers to undo it. */
import { Button, Group, Text } from "@mantine/core";
import { notifications } from "@mantine/notifications";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { archiveStudy, restoreStudy, studyKeys } from "../api/studies";
import { count } from "../format/numbers";
import { besidePointer, tellError } from "./tell";

interface Named {
  id: string;
  name: string;
}

const AT_ONCE = 6; // as many connections as a browser opens to one server

async function each(studies: Named[], act: (id: string) => Promise<unknown>): Promise<void> {
  for (let at = 0; at < studies.length; at += AT_ONCE)
    await Promise.all(studies.slice(at, at + AT_ONCE).map(({ id }) => act(id)));
}

export function useArchive() {
  const client = useQueryClient();
  const refresh = (studies: Named[]) =>
    Promise.all([
      client.invalidateQueries({ queryKey: studyKeys.lists }),
      ...studies.map(({ id }) => client.invalidateQueries({ queryKey: studyKeys.study(id) })),
    ]);
  const restore = useMutation({
    mutationFn: (studies: Named[]) => each(studies, restoreStudy),
    onError: tellError,
    onSettled: (_done, _error, studies) => refresh(studies),
  });
  const archive = useMutation({
    mutationFn: (studies: Named[]) => each(studies, archiveStudy),
    onError: tellError,
    onSettled: (_done, _error, studies) => refresh(studies),
    onSuccess: (_done, studies) => {
      const note = notifications.show({
        autoClose: 10_000,
        position: besidePointer(),
        message: (
          <Group justify="space-between" wrap="nowrap">
            <Text size="sm" lineClamp={2}>
              {studies.length === 1
                ? `“${studies[0]!.name}” is archived.`
                : `${count(studies.length, "study", "studies")} are archived.`}
            </Text>
            <Button
              size="compact-sm"
              variant="light"
              onClick={() => {
                restore.mutate(studies);
                notifications.hide(note);
              }}
            >
              Undo
            </Button>
          </Group>
        ),
      });
    },
  });
  return { archive, restore };
}
