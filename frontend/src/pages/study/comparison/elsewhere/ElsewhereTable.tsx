/** One further data set as a table: each arm before, at the chosen clock, what changed, and against the baseline. */
import { Group, Table, Text, Title } from "@mantine/core";
import { Fragment } from "react";
import type { ArmComparison, Comparison } from "../../../../api/types";
import { ArmMark } from "../../../../components/ArmMark";
import { MISSING, pValue } from "../../../../format/numbers";
import { changeAt, differenceWords, written, type Measure } from "./change";

type FurtherSet = NonNullable<Comparison["elsewhere"]>["sets"][number];

interface ElsewhereTableProps {
  set: FurtherSet;
  comparison: Comparison;
  hidden: ReadonlySet<string>;
}

export function ElsewhereTable({ set, comparison, hidden }: ElsewhereTableProps) {
  const byId = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  const arms = comparison.ranking.flatMap((id) => byId.get(id) ?? []).filter(({ id }) => !hidden.has(id));
  const when = comparison.clock === "last" ? "At the last step" : "Stopped in time";
  return (
    <section aria-label={`Measured on ${set.dataset}`}>
      <Title order={3} mt="md" mb={4} dir="auto">
        {set.dataset}
      </Title>
      {set.measures.length === 0 ? (
        <Text size="sm" c="dimmed">
          No run has been measured yet.
        </Text>
      ) : (
        <Table.ScrollContainer
          minWidth={760}
          type="native"
          role="group"
          tabIndex={0}
          aria-label={`Measured on ${set.dataset}, scrolls sideways`}
        >
          <Table highlightOnHover style={{ whiteSpace: "nowrap" }}>
            <Table.Thead>
              <Table.Tr>
                {["Arm", "Change", "Δ to the baseline", "Holm p", "Before", when].map((head, at) => (
                  <Table.Th key={head} ta={at === 0 ? "left" : "right"}>
                    {head}
                  </Table.Th>
                ))}
              </Table.Tr>
            </Table.Thead>
            <Table.Tbody>
              {set.measures.map((measure) => (
                <Fragment key={measure.name}>
                  {set.measures.length > 1 && (
                    <Table.Tr>
                      <Table.Th colSpan={6} scope="rowgroup" c="dimmed">
                        {measure.short_title}
                      </Table.Th>
                    </Table.Tr>
                  )}
                  {arms.map((arm) => (
                    <Row key={arm.id} arm={arm} measure={measure} clock={comparison.clock} />
                  ))}
                </Fragment>
              ))}
            </Table.Tbody>
          </Table>
        </Table.ScrollContainer>
      )}
    </section>
  );
}

function Row({ arm, measure, clock }: { arm: ArmComparison; measure: Measure; clock: Comparison["clock"] }) {
  const before = measure.arms.find(({ arm_id }) => arm_id === arm.id)?.before;
  const change = changeAt(measure, arm.id, clock);
  return (
    <Table.Tr>
      <Table.Td maw={{ base: 150, sm: 260 }}>
        <Group gap={8} wrap="nowrap">
          <ArmMark arm={arm} />
          <Text span size="sm" fw={550} truncate dir="auto" title={arm.label}>
            {arm.label}
          </Text>
          {arm.is_baseline && (
            <Text span size="xs" c="dimmed">
              baseline
            </Text>
          )}
        </Group>
      </Table.Td>
      <Table.Td ta="right">
        {written(measure, change?.change, true)}
        {change && change.worst > 0 && (
          <Text span size="xs" c="dimmed" display="block">
            {change.worst} diverged
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right">
        {written(measure, change?.difference, true)}
        {change?.difference && (
          <Text span size="xs" c="dimmed" display="block">
            {differenceWords(measure, change.difference)}
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right">{arm.is_baseline ? MISSING : pValue(change?.difference?.p_holm)}</Table.Td>
      <Table.Td ta="right">{written(measure, before, false, true)}</Table.Td>
      <Table.Td ta="right">{written(measure, change?.value, false)}</Table.Td>
    </Table.Tr>
  );
}
