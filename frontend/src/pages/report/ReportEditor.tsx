/** Title and text of the report, in Markdown. */
import { Button, Group, Paper, Textarea, TextInput } from "@mantine/core";
import { useState } from "react";
import type { ReportOut } from "../../api/types";
import { useSaveReport } from "./useSaveReport";

export function ReportEditor({ report, onClose }: { report: ReportOut; onClose: () => void }) {
  const [title, setTitle] = useState(report.title);
  const [text, setText] = useState(report.text);
  const save = useSaveReport(report.study_id);
  const keep = () =>
    save.mutate({ title, text, frozen: report.frozen, version: report.version }, { onSuccess: onClose });
  return (
    <Paper p="md" component="section" aria-label="Edit the report">
      <TextInput
        label="Title"
        value={title}
        maxLength={200}
        required
        onChange={(event) => setTitle(event.currentTarget.value)}
        data-autofocus
      />
      <Textarea
        label="Text"
        description="Markdown: headings, lists, tables, links. It stands above the answers."
        autosize
        minRows={8}
        maxRows={28}
        mt="sm"
        value={text}
        onChange={(event) => setText(event.currentTarget.value)}
      />
      <Group justify="end" mt="md">
        <Button variant="default" onClick={onClose}>
          Close
        </Button>
        <Button loading={save.isPending} disabled={title.trim() === ""} onClick={keep}>
          Save
        </Button>
      </Group>
    </Paper>
  );
}
