/** The same study as a file, a call or a script, always in step with the form. */
import { Paper, Tabs, Text, Title } from "@mantine/core";
import type { StudyPreview, StudySpec } from "../../api/types";
import { CopyText } from "../../components/CopyText";
import { asCommand, asCurl, asPython } from "./code";
import { named } from "./usePreview";
import { whole } from "../../api/root";

export function SameStudy({ draft, preview }: { draft: StudySpec; preview: StudyPreview | undefined }) {
  const spec = named(draft);
  const origin = whole("");
  const yaml = preview?.yaml ?? "";
  const forms = [
    { value: "yaml", label: "YAML", text: yaml },
    { value: "curl", label: "curl", text: asCurl(spec, origin) },
    { value: "cli", label: "CLI", text: yaml && asCommand(yaml) },
    { value: "python", label: "Python", text: asPython(spec, origin) },
  ];
  return (
    <Paper p="md" component="section" aria-label="The same study elsewhere" pos="sticky" top={70}>
      <Title order={2}>The same study elsewhere</Title>
      <Tabs defaultValue="yaml" mt="xs" keepMounted={false}>
        <Tabs.List mb="xs">
          {forms.map(({ value, label }) => (
            <Tabs.Tab key={value} value={value} px="sm">
              {label}
            </Tabs.Tab>
          ))}
        </Tabs.List>
        {forms.map(({ value, label, text }) => (
          <Tabs.Panel key={value} value={value}>
            {text ? (
              <CopyText text={text} label={`The study as ${label}`} height={480} />
            ) : (
              <Text size="sm" c="dimmed">
                It shows here as soon as the study is complete.
              </Text>
            )}
          </Tabs.Panel>
        ))}
      </Tabs>
    </Paper>
  );
}
