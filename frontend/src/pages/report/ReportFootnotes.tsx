/** What the words mean, what the statistics do and do not say, and the methods section to copy. */
import { Button, CopyButton, Group, List, Text, Title } from "@mantine/core";
import { IconCheck, IconCopy } from "@tabler/icons-react";
import type { Report } from "../../api/reports";
import { Prose } from "./Prose";
import classes from "./ReportPage.module.css";

export function ReportFootnotes({ report }: { report: Report }) {
  return (
    <>
      <section aria-label="Definitions">
        <Title order={2} mb="xs">
          Definitions
        </Title>
        <dl className={classes.definitions}>
          {report.definitions.map(({ term, meaning }) => (
            <div key={term}>
              <dt>{term}</dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </section>
      <section aria-label="Footnotes on the statistics">
        <Title order={2} mb="xs">
          Footnotes on the statistics
        </Title>
        <List type="ordered" size="sm" spacing={4} maw="80ch">
          {report.footnotes.map((note) => (
            <List.Item key={note}>
              <Text span size="sm">
                {note}
              </Text>
            </List.Item>
          ))}
        </List>
      </section>
      <section aria-label="Methods">
        <Group justify="space-between" mb="xs">
          <Title order={2}>Methods</Title>
          <CopyButton value={report.methods_text} timeout={1500}>
            {({ copied, copy }) => (
              <Button
                size="xs"
                variant="default"
                className="no-print"
                leftSection={copied ? <IconCheck size={14} /> : <IconCopy size={14} />}
                onClick={copy}
              >
                {copied ? "Copied" : "Copy as Markdown"}
              </Button>
            )}
          </CopyButton>
        </Group>
        <Prose html={report.methods_html} />
      </section>
    </>
  );
}
