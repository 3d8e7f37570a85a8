/** The report's own words: read as written, edited in place. */
import { Box, Button, Group, Text, Textarea, TextInput } from "@mantine/core";
import { IconPencil } from "@tabler/icons-react";
import { useState, type FormEvent } from "react";
import type { Report } from "../../api/reports";
import { Prose } from "./Prose";
import { useSaveReport } from "./useSaveReport";

interface Draft {
  title: string;
  text: string;
  /** What it began from. */
  from: Report;
}

export function ReportText({ report }: { report: Report }) {
  const [draft, setDraft] = useState<Draft>();
  const save = useSaveReport(report.study_id);
  const edit = () => setDraft({ title: report.title, text: report.text, from: report });
  if (!draft)
    return (
      <Box>
        {report.text ? (
          <Prose html={report.text_html} />
        ) : (
          <Text c="dimmed" className="no-print">
            Nothing is written yet. Say what you asked, what you found and what you would do.
          </Text>
        )}
        <Button
          size="xs"
          variant="default"
          mt="sm"
          className="no-print"
          leftSection={<IconPencil size={14} />}
          onClick={edit}
        >
          {report.text ? "Edit title and text" : "Write"}
        </Button>
      </Box>
    );
  const title = draft.title.trim();
  const keep = (event: FormEvent) => {
    event.preventDefault();
    const { text, from } = draft;
    // Freezing makes a new version, too; only another's words are in the way.
    const same = report.title === from.title && report.text === from.text;
    const { version } = same ? report : from;
    save.mutate({ title, text, version, frozen: report.frozen }, { onSuccess: () => setDraft(undefined) });
  };
  return (
    <Box component="form" onSubmit={keep} className="no-print" aria-label="Edit the report">
      <TextInput
        label="Title"
        value={draft.title}
        maxLength={200}
        error={title === "" && "A report needs a title."}
        onChange={(event) => setDraft({ ...draft, title: event.currentTarget.value })}
      />
      <Textarea
        mt="sm"
        label="Text"
        description="Markdown: # heading, **bold**, lists, tables, links. HTML and pictures stay text."
        value={draft.text}
        maxLength={100_000}
        autosize
        minRows={8}
        maxRows={30}
        autoFocus
        onChange={(event) => setDraft({ ...draft, text: event.currentTarget.value })}
        onKeyDown={(event) => event.key === "Escape" && draft.text === report.text && setDraft(undefined)}
      />
      <Group mt="sm" gap="xs">
        <Button size="xs" type="submit" loading={save.isPending} disabled={title === ""}>
          Save
        </Button>
        <Button size="xs" variant="default" onClick={() => setDraft(undefined)}>
          Discard
        </Button>
      </Group>
    </Box>
  );
}
