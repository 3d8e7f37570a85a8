/** Every method at the setting that was chosen for it on validation rows, with what test rows say of it. */
import { Group, Table, Text, Title } from "@mantine/core";
import type { ArmComparison, Comparison } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { DeltaText } from "../../../components/DeltaText";
import { isShare } from "../../../format/metrics";
import { MISSING, percent, plusMinus, pValue } from "../../../format/numbers";

interface SelectionTableProps {
  selection: NonNullable<Comparison["selection"]>;
  arms: ReadonlyMap<string, ArmComparison>;
}

export function SelectionTable({ selection, arms }: SelectionTableProps) {
  const written = (metric: string, found: { mean: number | null; half_width: number | null } | undefined) =>
    isShare(metric) ? percent(found?.mean) : plusMinus(found?.mean, found?.half_width);
  const accuracy = selection.methods.some(({ scores }) => scores["test/accuracy"]);
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
                ...(accuracy ? ["Test accuracy"] : []),
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
                  {accuracy && <Table.Td ta="right">{percent(method.scores["test/accuracy"]?.mean)}</Table.Td>}
                  <Table.Td ta="right">
                    {method.difference ? <DeltaText difference={method.difference} /> : MISSING}
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
    </section>
  );
}
