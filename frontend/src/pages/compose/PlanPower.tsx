/** What a plan can find: chances of its verdicts at spreads between seeds that are assumed, from no effect seen. */
import { Table, Text } from "@mantine/core";
import type { StudyPreview } from "../../api/types";
import { percent } from "../../format/numbers";

type Power = NonNullable<StudyPreview["plan"]>["power"];

export function PlanPower({ power, unit }: { power: Power; unit: string }) {
  return (
    <div>
      <Text size="sm" c="dimmed">
        What it can find depends on how much differences vary from seed to seed, which nobody knows before:
      </Text>
      <Table withRowBorders={false} verticalSpacing={2} w="auto" aria-label="What this plan can find">
        <Table.Thead>
          <Table.Tr>
            <Table.Th>Differences vary by (SD)</Table.Th>
            <Table.Th ta="right">One that just matters is told</Table.Th>
            <Table.Th ta="right">None is told to be none</Table.Th>
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {power.map(({ spread, better, no_difference }) => (
            <Table.Tr key={spread}>
              <Table.Td>
                {Number(spread.toPrecision(3))} {unit}
              </Table.Td>
              <Table.Td ta="right">{percent(better)}</Table.Td>
              <Table.Td ta="right">{percent(no_difference)}</Table.Td>
            </Table.Tr>
          ))}
        </Table.Tbody>
      </Table>
    </div>
  );
}
