/** The comparison as a table, best arm first; every mean is over seeds and says over how many. */
import { Button, Group, Skeleton, Table, Text, Title } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { CLOCK_WORDS, otherClock } from "../../../api/clock";
import type { FigureOf } from "../../../api/view";
import type { Comparison } from "../../../api/types";
import classes from "./ResultTable.module.css";
import { Explained } from "./Explained";
import { PaperTable } from "./PaperTable";
import { Planned } from "./Planned";
import { othersOf, ResultRow, rival } from "./ResultRow";
import { SelectionTable } from "./SelectionTable";

interface ResultTableProps {
  /** Where the raw numbers are. */
  csv: string;
  comparison: Comparison | undefined;
  hidden: ReadonlySet<string>;
  figureOf: FigureOf;
}

/**
 * The heads of the columns, the chosen quantity first; `elsewhere`: it by the other clock and against it, where the
 * study has one; `others`: what else is told of an arm.
 */
const COLUMNS = (metric: string, planned: boolean, elsewhere: string[], others: string[], further: string[]) => [
  "Arm",
  ...(planned ? ["Verdict"] : []),
  "n",
  metric,
  `Δ ${metric}`,
  ...elsewhere,
  ...others,
  ...further,
  "Overfits",
  "Probe loss",
  planned ? "Holm p" : "Holm p, seeds to decide",
  "Time",
];

const TITLES = { last: "At the last evaluation", stopped: "Stopped in time" };

export function ResultTable({ csv, comparison, hidden, figureOf }: ResultTableProps) {
  return (
    <section aria-label="Results">
      <Group justify="space-between" mb="xs">
        <Title order={2}>{TITLES[comparison?.clock ?? "last"]}</Title>
        <Button component="a" href={csv} download size="xs" variant="default" leftSection={<IconDownload size={14} />}>
          CSV of every evaluation
        </Button>
      </Group>
      {comparison?.clock === "stopped" && (
        <Explained>
          Each run at its own best evaluation, told on rows that did not choose it: test rows where there are some, else
          chosen on one half of the validation rows and measured on the other, both ways.
        </Explained>
      )}
      {comparison ? <Rows comparison={comparison} hidden={hidden} figureOf={figureOf} /> : <Skeleton height={240} />}
    </section>
  );
}

function Rows({ comparison, hidden, figureOf }: Omit<ResultTableProps, "csv"> & { comparison: Comparison }) {
  const quantity = comparison.metrics.find(({ name }) => name === comparison.metric);
  const others = othersOf(comparison);
  const metric = quantity?.short_title ?? "";
  const elsewhere = comparison.clocks.length > 1 ? [`${metric} ${CLOCK_WORDS[otherClock(comparison.clock)]}`] : [];
  if (rival(comparison)) elsewhere.push("Δ to the baseline stopped");
  const byId = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  const arms = comparison.ranking.map((id) => byId.get(id)).filter((arm) => arm && !hidden.has(arm.id));
  return (
    <>
      <Planned comparison={comparison} />
      <Table.ScrollContainer
        minWidth={1040}
        type="native"
        role="group"
        tabIndex={0}
        aria-label="Results, scrolls sideways"
      >
        <Table highlightOnHover horizontalSpacing={8} className={classes.table}>
          <Table.Thead>
            <Table.Tr>
              {COLUMNS(
                metric,
                !!comparison.plan,
                elsewhere,
                others.map(({ short_title }) => short_title),
                comparison.elsewhere?.sets.map(({ dataset }) => `Change on ${dataset}`) ?? [],
              ).map((column, at) => (
                <Table.Th key={column} ta={at === 0 || column === "Verdict" ? "left" : "right"}>
                  {column}
                </Table.Th>
              ))}
            </Table.Tr>
          </Table.Thead>
          <Table.Tbody>
            {arms.map(
              (arm) =>
                arm && <ResultRow key={arm.id} arm={arm} comparison={comparison} quantity={quantity} others={others} />,
            )}
          </Table.Tbody>
        </Table>
      </Table.ScrollContainer>
      {comparison.selection && (
        <SelectionTable selection={comparison.selection} arms={byId} metrics={comparison.metrics} figureOf={figureOf} />
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
