/** Each arm's difference to the baseline: effect and interval first, then the tests, and what they mean. */
import { Group, Table, Text } from "@mantine/core";
import { judgedAt } from "../../../api/clock";
import type { ArmComparison, Comparison, StudyDetail } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { DeltaText } from "../../../components/DeltaText";
import { decimals, MISSING, pValue } from "../../../format/numbers";
import { SeedsNeeded } from "./SeedsNeeded";

const COLUMNS = ["Arm", "n", "Δ and interval", "Paired t", "Sign-flip", "Holm", "Smallest p", "Correlation"];

interface DifferenceTableProps {
  study: StudyDetail;
  comparison: Comparison;
  hidden: ReadonlySet<string>;
}

export function DifferenceTable({ study, comparison, hidden }: DifferenceTableProps) {
  const byId = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  const arms = comparison.ranking
    .map((id) => byId.get(id))
    .filter(
      (arm) =>
        arm &&
        !arm.is_baseline &&
        !hidden.has(arm.id) &&
        judgedAt(arm, comparison.clock).differences[comparison.metric],
    );
  if (arms.length === 0) return <Text c="dimmed">No seed has finished in two arms yet.</Text>;
  return (
    <Table.ScrollContainer
      minWidth={1000}
      type="native"
      role="group"
      tabIndex={0}
      aria-label="Differences, scrolls sideways"
    >
      <Table highlightOnHover>
        <Table.Thead>
          <Table.Tr>
            {[...COLUMNS, comparison.plan ? "Verdict" : "Seeds needed"].map((column, at) => (
              <Table.Th key={column} ta={at === 0 ? "left" : "right"}>
                {column}
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {arms.map((arm) => arm && <Row key={arm.id} arm={arm} study={study} comparison={comparison} />)}
        </Table.Tbody>
      </Table>
    </Table.ScrollContainer>
  );
}

function Row({ arm, study, comparison }: { arm: ArmComparison; study: StudyDetail; comparison: Comparison }) {
  const difference = judgedAt(arm, comparison.clock).differences[comparison.metric];
  if (!difference) return null;
  return (
    <Table.Tr data-arm={arm.id}>
      <Table.Td maw={360}>
        <Group gap={8} wrap="nowrap">
          <ArmMark arm={arm} />
          <Text span size="sm" fw={550} truncate dir="auto">
            {arm.label}
          </Text>
        </Group>
        <Text size="xs" c="dimmed" mt={2}>
          {difference.meaning}
        </Text>
      </Table.Td>
      <Table.Td ta="right">{difference.n}</Table.Td>
      <Table.Td ta="right" style={{ whiteSpace: "nowrap" }}>
        <DeltaText
          difference={difference}
          quantity={comparison.metrics.find(({ name }) => name === comparison.metric)}
          bare={!!comparison.plan}
        />
      </Table.Td>
      <Table.Td ta="right">{pValue(difference.p_t)}</Table.Td>
      <Table.Td ta="right">
        {pValue(difference.p_sign_flip)}
        {difference.sign_flip === "monte_carlo" && " (sampled)"}
      </Table.Td>
      <Table.Td ta="right">{pValue(difference.p_holm)}</Table.Td>
      <Table.Td ta="right">{pValue(difference.smallest_p)}</Table.Td>
      <Table.Td ta="right">{decimals(difference.seed_correlation, 2)}</Table.Td>
      <Table.Td ta="right">
        {comparison.plan ? (
          arm.verdict?.title
        ) : difference.decided === "undecided" ? (
          <SeedsNeeded study={study} difference={difference} />
        ) : (
          MISSING
        )}
      </Table.Td>
    </Table.Tr>
  );
}
