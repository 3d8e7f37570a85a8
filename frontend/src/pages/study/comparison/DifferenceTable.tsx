/** Each arm's difference to the baseline: effect and interval first, then the tests, and what they mean. */
import { Group, Table, Text } from "@mantine/core";
import { judgedAt } from "../../../api/clock";
import type { ArmComparison, Comparison, Difference } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { DeltaText } from "../../../components/DeltaText";
import { count, decimals, MISSING, pValue } from "../../../format/numbers";
import { seedsToDecide } from "./SeedsNeeded";

const COLUMNS = ["Arm", "n", "Δ and interval", "Paired t", "Sign-flip", "Holm", "Correlation"];

interface DifferenceTableProps {
  comparison: Comparison;
  hidden: ReadonlySet<string>;
}

export function DifferenceTable({ comparison, hidden }: DifferenceTableProps) {
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
    <>
      <Text size="sm" c="dimmed" mb="xs">
        {smallest(arms, comparison)}
      </Text>
      <Table.ScrollContainer
        minWidth={860}
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
          <Table.Tbody>{arms.map((arm) => arm && <Row key={arm.id} arm={arm} comparison={comparison} />)}</Table.Tbody>
        </Table>
      </Table.ScrollContainer>
    </>
  );
}

/** What as few seeds as these can show at most: said once, for it is the same of all arms with as many. */
function smallest(arms: (ArmComparison | undefined)[], { clock, metric }: Comparison): string {
  const found = new Map<number, number | null>();
  for (const arm of arms) {
    const difference = arm && judgedAt(arm, clock).differences[metric];
    if (difference) found.set(difference.n, difference.smallest_p);
  }
  const said = [...found]
    .filter(([n, p]) => n > 0 && p !== null)
    .map(([n, p]) => `${pValue(p)} with ${count(n, "pair")}`)
    .join(", ");
  return said && `The smallest p that a sign-flip test can reach: ${said}. What a number means stands at its row.`;
}

/** Whether what is shown is what the plan judges: its quantity, clock and baseline. */
function judgedByPlan({ plan, metric, clock, baseline_arm_id: baseline }: Comparison): boolean {
  return plan?.metric === metric && plan.clock === clock && plan.baseline_arm_id === baseline;
}

function inWords({ decided }: Difference, { metrics, metric }: Comparison): string {
  if (decided === "undecided") return "undecided";
  const higher = metrics.find(({ name }) => name === metric)?.higher_is_better;
  return (decided === "higher") === (higher === true) ? "better" : "worse";
}

function Row({ arm, comparison }: { arm: ArmComparison; comparison: Comparison }) {
  const difference = judgedAt(arm, comparison.clock).differences[comparison.metric];
  if (!difference) return null;
  return (
    <Table.Tr data-arm={arm.id}>
      <Table.Td maw={360} title={difference.meaning}>
        <Group gap={8} wrap="nowrap">
          <ArmMark arm={arm} />
          <Text span size="sm" fw={550} truncate dir="auto">
            {arm.label}
          </Text>
        </Group>
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
      <Table.Td ta="right">{decimals(difference.seed_correlation, 2)}</Table.Td>
      <Table.Td ta="right">
        {judgedByPlan(comparison)
          ? arm.verdict?.title
          : comparison.plan
            ? inWords(difference, comparison)
            : difference.decided === "undecided"
              ? seedsToDecide(difference)
              : MISSING}
      </Table.Td>
    </Table.Tr>
  );
}
