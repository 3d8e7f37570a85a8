/** The paper's own numbers for this data set, kept apart from ours. */
import { Table, Text, Title } from "@mantine/core";
import type { Comparison } from "../../../api/types";
import { plusMinus } from "../../../format/numbers";

export function PaperTable({ paper }: { paper: NonNullable<Comparison["paper"]> }) {
  return (
    <section aria-label="The paper's numbers">
      <Title order={3} mt="lg" mb={4}>
        The paper's numbers
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        Not measured here: {paper.source}. {paper.setting}. Another model and other settings. Neighbouring methods lie
        within one standard deviation (the ± here) of each other: neither values nor their order are evidence.
      </Text>
      <Table maw={520}>
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Method</Table.Th>
            <Table.Th ta="right">The paper&apos;s {paper.metric}</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {paper.rows.map((row) => (
            <Table.Tr key={row.method}>
              <Table.Td>{row.title}</Table.Td>
              <Table.Td ta="right">{plusMinus(row.value, row.spread, 2)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </section>
  );
}
