/** The REST API: every operation, made from the schema that this server serves; nothing is loaded from elsewhere. */
import { Anchor, Badge, Box, Container, Group, Skeleton, Stack, Text, TextInput, Title } from "@mantine/core";
import { useDocumentTitle } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { sentence } from "../../api/problem";
import { Notice } from "../../components/Notice";
import classes from "./ApiPage.module.css";
import { OperationBody } from "./OperationBody";
import { byTag, type Document, type Entry } from "./openapi";
import { at } from "../../api/root";

const SCHEMA = at("/api/v1/openapi.json");

export function ApiPage() {
  useDocumentTitle("API · Dropscope");
  const schema = useQuery({
    queryKey: ["openapi"],
    queryFn: async ({ signal }) => {
      const answer = await fetch(SCHEMA, { signal });
      if (!answer.ok) throw new Error(`The server answered with ${answer.status}.`);
      return (await answer.json()) as Document;
    },
    staleTime: Infinity,
  });
  const [wanted, setWanted] = useState("");
  const groups = useMemo(() => (schema.data ? byTag(schema.data) : []), [schema.data]);
  const shown = groups
    .map(([tag, entries]) => [tag, entries.filter((entry) => matches(entry, tag, wanted))] as const)
    .filter(([, entries]) => entries.length > 0);
  return (
    <Container size="lg" py="lg">
      <Stack gap="md">
        <Group justify="space-between" align="end" gap="sm">
          <div>
            <Title order={1}>REST API</Title>
            <Text c="dimmed">
              All that this page does, for scripts.{" "}
              <Anchor href={SCHEMA} underline="always">
                OpenAPI schema
              </Anchor>
              , version {schema.data?.info.version ?? "…"}
            </Text>
          </div>
          <TextInput
            aria-label="Search operations"
            placeholder="Search"
            value={wanted}
            onChange={({ currentTarget }) => setWanted(currentTarget.value)}
          />
        </Group>
        {schema.isError && (
          <Notice alert title="The schema could not be read">
            {sentence(schema.error)}
          </Notice>
        )}
        {schema.isPending && <Skeleton height={400} radius="lg" />}
        {shown.map(([tag, entries]) => (
          <Box key={tag} component="section" aria-label={tag}>
            <Title order={2} mb={6}>
              {tag}
            </Title>
            <Stack gap={6}>
              {entries.map((entry) => (
                <Shown key={entry.operation.operationId} entry={entry} document={schema.data!} />
              ))}
            </Stack>
          </Box>
        ))}
        {schema.data && shown.length === 0 && <Text c="dimmed">No operation matches “{wanted}”.</Text>}
      </Stack>
    </Container>
  );
}

function Shown({ entry, document }: { entry: Entry; document: Document }) {
  const [open, setOpen] = useState(false);
  const { method, path, operation } = entry;
  return (
    <details className={classes.operation} onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
      <summary className={classes.summary}>
        <Badge variant="default" w={68} radius="sm" className={classes.method} data-method={method}>
          {method}
        </Badge>
        <code className={classes.path}>{path}</code>
        <Text span size="sm" c="dimmed" className={classes.said}>
          {operation.description?.split("\n")[0] ?? operation.summary}
        </Text>
      </summary>
      {open && <OperationBody entry={entry} document={document} />}
    </details>
  );
}

function matches({ method, path, operation }: Entry, tag: string, wanted: string): boolean {
  const text = `${method} ${path} ${tag} ${operation.operationId} ${operation.description ?? ""}`.toLowerCase();
  return wanted
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}
