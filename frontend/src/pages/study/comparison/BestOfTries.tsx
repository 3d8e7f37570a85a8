/** What each method is expected to reach on test rows with one setting tried, two, and so on: more tries find better ones. */
import { Table, Text } from "@mantine/core";
import type { Comparison, Quantity } from "../../../api/types";
import { MISSING, decimals, percent } from "../../../format/numbers";

type Selection = NonNullable<Comparison["selection"]>;

export function BestOfTries({ selection, quantity }: { selection: Selection; quantity: Quantity | undefined }) {
  const most = Math.max(...selection.methods.map(({ candidates }) => candidates));
  if (most < 2) return null;
  const tries = Array.from({ length: most }, (_, at) => at + 1);
  const written = (value: number | undefined) =>
    value === undefined ? MISSING : quantity?.shown === "share" ? percent(value) : decimals(value);
  return (
    <>
      <Text size="sm" fw={550} mt="sm">
        After how many tries?
      </Text>
      <Text size="sm" c="dimmed" mb="xs">
        Expected on test rows when so many settings are drawn at random and the best on validation rows is taken.
        Compare methods within a column.
      </Text>
      <Table.ScrollContainer minWidth={420} type="native" tabIndex={0} aria-label="Tries, scrolls sideways">
        <Table highlightOnHover>
          <Table.Thead>
            <Table.Tr>
              <Table.Th>Method</Table.Th>
              {tries.map((count) => (
                <Table.Th key={count} ta="right">
                  {count === 1 ? "1 try" : `${count} tries`}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {selection.methods.map((method) => (
              <Table.Tr key={method.arm_id}>
                <Table.Td dir="auto">{method.method_title}</Table.Td>
                {tries.map((count) => (
                  <Table.Td key={count} ta="right">
                    {written(method.best_of?.test[count - 1])}
                  </Table.Td>
                ))}
              </Table.Tr>
            ))}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}
