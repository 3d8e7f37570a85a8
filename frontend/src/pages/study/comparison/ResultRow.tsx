/** One arm as a row of the results: its values at the chosen clock, what the other says, and its differences. */
import { Group, Table, Text } from "@mantine/core";
import { judgedAt, otherClock, stoppedWhere } from "../../../api/clock";
import type { ArmComparison, Comparison, Estimate, Quantity } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { DeltaText } from "../../../components/DeltaText";
import { scoresOf, scoreText } from "../../../format/metrics";
import { decimals, MISSING, plusMinus, pValue } from "../../../format/numbers";
import { changeAt, written } from "./elsewhere/change";
import { seedsToDecide } from "./SeedsNeeded";
import classes from "./ResultTable.module.css";
import { VerdictText } from "./Verdict";

interface ResultRowProps {
  arm: ArmComparison;
  comparison: Comparison;
  /** What arms are ranked by. */
  quantity: Quantity | undefined;
  /** What else is told of an arm. */
  others: Quantity[];
}

export function ResultRow({ arm, comparison, quantity, others }: ResultRowProps) {
  const { clock } = comparison;
  const { final, differences } = judgedAt(arm, clock);
  const difference = quantity && differences[quantity.name];
  const toRival = quantity && arm.stopped?.last_against_stopped[quantity.name];
  const { k, n, step, amount, sentence } = arm.overfitting;
  const value = quantity && final[quantity.name];
  const planned = !!comparison.plan;
  const quantityOf = (metric: string) => comparison.metrics.find(({ name }) => name === metric);
  return (
    <Table.Tr data-arm={arm.id}>
      <Table.Td maw={260}>
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
      {comparison.plan && (
        <Table.Td className={classes.verdict}>
          {arm.verdict ? <VerdictText verdict={arm.verdict} quantity={quantityOf(comparison.plan.metric)} /> : MISSING}
        </Table.Td>
      )}
      <Table.Td ta="right">{value?.n ?? 0}</Table.Td>
      <Table.Td ta="right">
        {quantity && valueText(quantity, value)}
        {clock === "stopped" && <Beneath>{stoppedWhere(arm)}</Beneath>}
      </Table.Td>
      <Table.Td ta="right">
        {arm.is_baseline || !difference ? (
          MISSING
        ) : (
          <DeltaText difference={difference} quantity={quantity} tall bare={planned} />
        )}
      </Table.Td>
      {comparison.clocks.length > 1 && quantity && (
        <Table.Td ta="right">
          <OtherClock arm={arm} comparison={comparison} quantity={quantity} />
        </Table.Td>
      )}
      {rival(comparison) && (
        <Table.Td ta="right">
          {toRival && <DeltaText difference={toRival} quantity={quantity} tall bare={planned} />}
        </Table.Td>
      )}
      {others.map((other) => (
        <Table.Td key={other.name} ta="right">
          {other.shown === "plain" ? valueText(other, final[other.name]) : scoreText(other, final[other.name]?.mean)}
        </Table.Td>
      ))}
      {comparison.elsewhere?.sets.map(({ dataset, measures: [loss] }) => (
        <Table.Td key={dataset} ta="right" title={`Change of the loss on ${dataset} since before the first step`}>
          {loss ? written(loss, changeAt(loss, arm.id, clock)?.change, true) : MISSING}
        </Table.Td>
      ))}
      <Table.Td ta="right" title={sentence}>
        {amount ? plusMinus(amount.mean, amount.half_width) : step === null ? MISSING : `step ${Math.round(step)}`}
        {n > 0 && <Beneath>{`${k} of ${n}`}</Beneath>}
      </Table.Td>
      <Table.Td ta="right">{decimals(final["probe/loss"]?.mean)}</Table.Td>
      <Table.Td ta="right" title={difference?.meaning}>
        {arm.is_baseline ? MISSING : pValue(difference?.p_holm)}
        {difference?.decided === "undecided" && !arm.is_baseline && !planned && (
          <Beneath>{seedsToDecide(difference)}</Beneath>
        )}
      </Table.Td>
      <Table.Td ta="right">
        {arm.compute.seconds_factor === null ? MISSING : `${decimals(arm.compute.seconds_factor, 2)} ×`}
      </Table.Td>
    </Table.Tr>
  );
}

/** What else than the chosen quantity is told of an arm: the validation loss, the gap, and the task's scores. */
export const othersOf = ({ metric, metrics }: Comparison): Quantity[] =>
  [
    ...["validation/loss", "gap"].flatMap((name) => metrics.find((quantity) => quantity.name === name) ?? []),
    ...scoresOf(metrics),
  ].filter(({ name }) => name !== metric);

/** A mean with half of its interval, both as the quantity is told. */
function valueText(quantity: Quantity, found: Estimate | undefined): string {
  if (quantity.shown === "plain") return plusMinus(found?.mean, found?.half_width);
  const mean = scoreText(quantity, found?.mean);
  if (found?.half_width === null || found?.half_width === undefined) return mean;
  return `${mean} ± ${(quantity.shown === "share" ? 100 * found.half_width : found.half_width).toFixed(1)}`;
}

/** Whether arms at their last step are held against the free rival: the baseline stopped in time. */
export const rival = ({ clock, clocks }: Comparison) => clock === "last" && clocks.length > 1;

/** The same arm by the clock that was not chosen. */
function OtherClock({ arm, comparison, quantity }: { arm: ArmComparison; comparison: Comparison; quantity: Quantity }) {
  const other = otherClock(comparison.clock);
  const found = judgedAt(arm, other).final[quantity.name];
  return (
    <>
      {valueText(quantity, found)}
      {other === "stopped" && <Beneath>{stoppedWhere(arm)}</Beneath>}
    </>
  );
}

function Beneath({ children }: { children: string | undefined }) {
  return (
    <Text span size="xs" c="dimmed" display="block">
      {children}
    </Text>
  );
}
