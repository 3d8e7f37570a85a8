/** Validation examples that the run does best and worst on, and what it generated; texts are shown as they are. */
import { Skeleton, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { runExamples } from "../../api/runs";
import type { RunDetail, RunExamples as Found } from "../../api/types";
import { decimals } from "../../format/numbers";
import { RunRows } from "./RunRows";

type Example = Found["best"][number];

export function RunExamples({ run }: { run: RunDetail }) {
  const { data } = useQuery(runExamples(run.id));
  if (!data) return <Skeleton height={320} />;
  if (data.worst.length + data.generated.length === 0)
    return (
      <Text c="dimmed" py="xl" ta="center">
        {run.status === "succeeded" ? "No examples were kept." : "Examples are picked when the run has succeeded."}
      </Text>
    );
  const causal = run.spec.arm.task === "causal_lm";
  const judged = run.spec.arm.task === "classification";
  return (
    <Stack gap="lg">
      <RunRows run={run} />
      <Examples title="Generated" examples={data.generated} said="Generated" />
      <Examples title="Greatest loss" examples={data.worst} said={causal ? null : "Predicted"} judged={judged} />
      <Examples title="Least loss" examples={data.best} said={causal ? null : "Predicted"} judged={judged} />
      <Text size="xs" c="dimmed">
        Validation rows after the last step, dropout off. Texts are as the model read them: cut to its largest length,
        special tokens left out.
      </Text>
    </Stack>
  );
}

interface ExamplesProps {
  title: string;
  examples: Example[];
  said: string | null;
  /** Whether what is predicted is right or wrong, and nothing between. */
  judged?: boolean;
}

function Examples({ title, examples, said, judged = false }: ExamplesProps) {
  if (examples.length === 0) return null;
  const losses = examples.some(({ loss }) => loss !== null && loss !== undefined);
  return (
    <section aria-label={title}>
      <Title order={3} size="h4" mb="xs">
        {title}
      </Title>
      <Table.ScrollContainer minWidth={640} type="native" tabIndex={0} aria-label={`${title}, scrolls sideways`}>
        <Table verticalSpacing="xs" layout="fixed">
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Text</Table.Th>
              {said && <Table.Th>{said}</Table.Th>}
              <Table.Th>Right</Table.Th>
              {losses && (
                <Table.Th ta="right" w={90}>
                  Loss
                </Table.Th>
              )}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {examples.map((example, at) => (
              <Table.Tr key={at}>
                <Words text={example.text} />
                {said && (
                  <Words text={example.predicted} right={judged ? example.predicted === example.label : undefined} />
                )}
                <Words text={[example.label, ...example.references].join("\n")} />
                {losses && <Table.Td ta="right">{decimals(example.loss)}</Table.Td>}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </section>
  );
}

/** A text of somebody's data: its own line breaks and direction, and nothing it can do beyond its cell. */
function Words({ text, right }: { text: string; right?: boolean | undefined }) {
  return (
    <Table.Td>
      <Text size="sm" dir="auto" style={{ whiteSpace: "pre-wrap", overflowWrap: "anywhere", unicodeBidi: "isolate" }}>
        {text}
        {right !== undefined && (
          <Text span inherit c={right ? "var(--good)" : "var(--bad)"}>
            {right ? " ✓ right" : " ✗ wrong"}
          </Text>
        )}
      </Text>
    </Table.Td>
  );
}
