/** Every method at the setting that was chosen for it on validation rows, with what test rows say of it. */
import { Group, Table, Text, Title } from "@mantine/core";
import type { ArmComparison, Comparison, Quantity } from "../../../api/types";
import type { FigureOf } from "../../../api/view";
import { ArmMark } from "../../../components/ArmMark";
import { DeltaText } from "../../../components/DeltaText";
import { scoreText } from "../../../format/metrics";
import { BestOfTries } from "./BestOfTries";
import { MISSING, percent, plusMinus, pValue } from "../../../format/numbers";

interface SelectionTableProps {
  selection: NonNullable<Comparison["selection"]>;
  arms: ReadonlyMap<string, ArmComparison>;
  metrics: Quantity[];
  figureOf: FigureOf;
}

export function SelectionTable({ selection, arms, metrics, figureOf }: SelectionTableProps) {
  const quantity = (metric: string) => metrics.find(({ name }) => name === metric);
  const written = (metric: string, found: { mean: number | null; half_width: number | null }) =>
    quantity(metric)?.shown === "share" ? percent(found.mean) : plusMinus(found.mean, found.half_width);
  const further = metrics.filter(({ name }) => name.startsWith("test/") && name !== selection.reported);
  return (
    <section aria-label="Chosen on validation rows, reported on test rows">
      <Title order={3} mt="lg" mb={4}>
        Each method at its best, on test rows
      </Title>
      <Text size="sm" c="dimmed" mb="xs">
        {selection.sentence}
      </Text>
      <Table.ScrollContainer minWidth={820} type="native" tabIndex={0} aria-label="Test rows, scrolls sideways">
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              {[
                "Chosen arm",
                "of",
                "Validation",
                "Test",
                "Cross-fitted",
                ...further.map(({ short_title }) => short_title),
                "Δ test",
                "Holm p",
              ].map((column, at) => (
                <Table.Th key={column} ta={at === 0 ? "left" : "right"}>
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {selection.methods.map((method) => {
              const arm = arms.get(method.arm_id);
              return (
                <Table.Tr key={method.arm_id}>
                  <Table.Td maw={280}>
                    <Group gap={8} wrap="nowrap">
                      {arm && <ArmMark arm={arm} />}
                      <Text span size="sm" fw={550} truncate dir="auto">
                        {method.arm_name}
                      </Text>
                      {method.is_baseline && (
                        <Text span size="xs" c="dimmed">
                          baseline
                        </Text>
                      )}
                    </Group>
                  </Table.Td>
                  <Table.Td ta="right">{method.candidates}</Table.Td>
                  <Table.Td ta="right">{written(selection.chosen_by, method.validation)}</Table.Td>
                  <Table.Td ta="right">{written(selection.reported, method.test)}</Table.Td>
                  <Table.Td ta="right" title="Each seed at the setting that the other seeds chose">
                    {written(selection.reported, method.crossfitted.value)}
                  </Table.Td>
                  {further.map((score) => (
                    <Table.Td key={score.name} ta="right">
                      {scoreText(score, method.scores[score.name]?.mean)}
                    </Table.Td>
                  ))}
                  <Table.Td ta="right">
                    {method.difference ? (
                      <DeltaText difference={method.difference} quantity={quantity(selection.reported)} />
                    ) : (
                      MISSING
                    )}
                  </Table.Td>
                  <Table.Td ta="right" title={method.difference?.meaning}>
                    {pValue(method.difference?.p_holm)}
                  </Table.Td>
                </Table.Tr>
              );
            })}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      <BestOfTries selection={selection} quantity={quantity(selection.reported)} figureOf={figureOf} />
    </section>
  );
}
