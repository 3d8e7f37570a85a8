/** Tags of one study, or of several at once: those of all are shown, the others stay as they are. */
import { Button, Group, Modal, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { changeStudy, studyKeys } from "../../api/studies";
import type { StudySummary } from "../../api/types";
import { tellError } from "../../components/tell";

const MOST_TAGS = 20;
const LONGEST = 40;

export default function TagsDialog({ studies, onClose }: { studies: StudySummary[]; onClose: () => void }) {
  const client = useQueryClient();
  const shared = (studies[0]?.tags ?? []).filter((tag) => studies.every((study) => study.tags.includes(tag)));
  const [text, setText] = useState(shared.join(", "));
  const tags = [...new Set(text.split(",").map((tag) => tag.trim()))].filter(Boolean);
  const tooMany = tags.length > MOST_TAGS || tags.some((tag) => tag.length > LONGEST);
  const save = useMutation({
    mutationFn: async () => {
      for (const { id, tags: old } of studies) {
        const kept = old.filter((tag) => !shared.includes(tag) && !tags.includes(tag));
        await changeStudy(id, { tags: [...kept, ...tags] });
      }
    },
    onSuccess: onClose,
    onError: tellError,
    onSettled: () => client.invalidateQueries({ queryKey: studyKeys.lists }),
  });
  const [first] = studies;
  return (
    <Modal
      opened
      onClose={onClose}
      title={studies.length === 1 ? "Tags of this study" : `Tags of ${studies.length} studies`}
      centered
    >
      <Stack gap="sm">
        <TextInput
          label={studies.length === 1 ? first?.name : "On all of them"}
          placeholder="paper, ranks"
          description="With commas between them. The list of studies is filtered by tags."
          value={text}
          onChange={(event) => setText(event.currentTarget.value)}
          onKeyDown={(event) => event.key === "Enter" && !tooMany && save.mutate()}
          error={tooMany && `A study has at most ${MOST_TAGS} tags of ${LONGEST} letters; shorten this list.`}
          data-autofocus
        />
        {studies.length > 1 && (
          <Text size="xs" c="dimmed">
            Tags that only some of them have stay where they are.
          </Text>
        )}
        <Group justify="end">
          <Button variant="default" onClick={onClose}>
            Cancel
          </Button>
          <Button loading={save.isPending} disabled={tooMany} onClick={() => save.mutate()}>
            Save tags
          </Button>
        </Group>
      </Stack>
    </Modal>
  );
}
