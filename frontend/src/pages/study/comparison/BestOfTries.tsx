/** What each method is expected to reach on test rows with one setting tried, two, and so on: more tries find better ones. */
import { Table } from "@mantine/core";
import type { Comparison, Quantity } from "../../../api/types";
import type { FigureOf } from "../../../api/view";
import { NamedFigure } from "../../../figure/NamedFigure";
import { MISSING, decimals, percent } from "../../../format/numbers";

type Selection = NonNullable<Comparison["selection"]>;

interface BestOfTriesProps {
  selection: Selection;
  quantity: Quantity | undefined;
  figureOf: FigureOf;
}

export function BestOfTries({ selection, quantity, figureOf }: BestOfTriesProps) {
  const most = Math.max(...selection.methods.map(({ candidates }) => candidates));
  if (most < 2) return null;
  const tries = Array.from({ length: most }, (_, at) => at + 1);
  const written = (value: number | undefined) =>
    value === undefined ? MISSING : quantity?.shown === "share" ? percent(value) : decimals(value);
  return (
    <>
      <NamedFigure
        figureOf={figureOf}
        name="tries"
        title="After how many tries?"
        reading="Expected on test rows when so many settings are drawn at random and the best on validation rows is taken. Compare methods at the same number of tries."
        height={300}
      />
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
