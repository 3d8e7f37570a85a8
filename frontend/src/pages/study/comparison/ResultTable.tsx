/** The comparison as a table, best arm first; every mean is over seeds and says over how many. */
import { Button, Group, Skeleton, Table, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import type { ArmComparison, Comparison, Quantity } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { DeltaText } from "../../../components/DeltaText";
import classes from "./ResultTable.module.css";
import { scoresOf, scoreText } from "../../../format/metrics";
import { decimals, MISSING, plusMinus, pValue } from "../../../format/numbers";
import { PaperTable } from "./PaperTable";
import { seedsToDecide } from "./SeedsNeeded";
import { SelectionTable } from "./SelectionTable";

interface ResultTableProps {
  /** Where the raw numbers are. */
  csv: string;
  comparison: Comparison | undefined;
  hidden: ReadonlySet<string>;
}

const COLUMNS = (metric: string, scores: string[]) => [
  "Arm",
  "n",
  "Probe loss",
  "Validation loss",
  "Gap",
  ...scores,
  "Overfits",
  `Δ ${metric}`,
  "Holm p, seeds to decide",
  "Time",
];

export function ResultTable({ csv, comparison, hidden }: ResultTableProps) {
  return (
    <section aria-label="Results">
      <Group justify="space-between" mb="xs">
        <Title order={2}>At the last evaluation</Title>
        <Button component="a" href={csv} download size="xs" variant="default" leftSection={<IconDownload size={14} />}>
          CSV of every evaluation
        </Button>
      </Group>
      {comparison ? <Rows comparison={comparison} hidden={hidden} /> : <Skeleton height={240} />}
    </section>
  );
}

function Rows({ comparison, hidden }: { comparison: Comparison; hidden: ReadonlySet<string> }) {
  const quantity = comparison.metrics.find(({ name }) => name === comparison.metric);
  const scores = scoresOf(comparison.metrics);
  const byId = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  const arms = comparison.ranking.map((id) => byId.get(id)).filter((arm) => arm && !hidden.has(arm.id));
  return (
    <>
      <Table.ScrollContainer
        minWidth={980}
        type="native"
        role="group"
        tabIndex={0}
        aria-label="Results, scrolls sideways"
      >
        <Table highlightOnHover horizontalSpacing={8} className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              {COLUMNS(
                quantity?.short_title ?? "",
                scores.map(({ short_title }) => short_title),
              ).map((column, at) => (
                <Table.Th key={column} ta={at === 0 ? "left" : "right"}>
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {arms.map((arm) => arm && <ArmRow key={arm.id} arm={arm} quantity={quantity} scores={scores} />)}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {comparison.selection && (
        <SelectionTable selection={comparison.selection} arms={byId} metrics={comparison.metrics} />
      )}
      {comparison.paper && <PaperTable paper={comparison.paper} />}
      {comparison.notes.length > 0 && (
        <Text component="ul" size="xs" c="dimmed" pl={16} mt="sm" mb={0}>
          {comparison.notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </Text>
      )}
    </>
  );
}

interface ArmRowProps {
  arm: ArmComparison;
  quantity: Quantity | undefined;
  scores: Quantity[];
}

function ArmRow({ arm, quantity, scores }: ArmRowProps) {
  const final = arm.final;
  const difference = quantity && arm.differences[quantity.name];
  const { k, n, step, amount, sentence } = arm.overfitting;
  return (
    <Table.Tr>
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
      <Table.Td ta="right">{final["validation/loss"]?.n ?? 0}</Table.Td>
      <Table.Td ta="right">{decimals(final["probe/loss"]?.mean)}</Table.Td>
      <Table.Td ta="right">{plusMinus(final["validation/loss"]?.mean, final["validation/loss"]?.half_width)}</Table.Td>
      <Table.Td ta="right">{plusMinus(final.gap?.mean, final.gap?.half_width)}</Table.Td>
      {scores.map((score) => (
        <Table.Td key={score.name} ta="right">
          {scoreText(score, final[score.name]?.mean)}
        </Table.Td>
      ))}
      <Table.Td ta="right" title={sentence}>
        {amount ? plusMinus(amount.mean, amount.half_width) : step === null ? MISSING : `step ${Math.round(step)}`}
        {n > 0 && (
          <Text span size="xs" c="dimmed">
            {" "}
            {k}/{n}
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right">
        {arm.is_baseline || !difference ? MISSING : <DeltaText difference={difference} quantity={quantity} tall />}
      </Table.Td>
      <Table.Td ta="right" title={difference?.meaning}>
        {arm.is_baseline ? MISSING : pValue(difference?.p_holm)}
        {difference?.decided === "undecided" && !arm.is_baseline && (
          <Text span size="xs" c="dimmed" display="block">
            {seedsToDecide(difference)}
          </Text>
        )}
      </Table.Td>
      <Table.Td ta="right">
        {arm.compute.seconds_factor === null ? MISSING : `${decimals(arm.compute.seconds_factor, 2)} ×`}
      </Table.Td>
    </Table.Tr>
  );
}
