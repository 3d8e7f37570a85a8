/** The ticked runs side by side: settings that differ, their curves together, and rows that they disagree on. */
import { CloseButton, Group, Paper, Stack, Table, Text, Title } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { rowsOfRuns } from "../../../api/ledger";
import { runsTogether } from "../../../api/runs";
import type { Quantity, StudyDetail } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { NamedFigure } from "../../../figure/NamedFigure";
import { count, decimals, MISSING, percent } from "../../../format/numbers";
import { duration } from "../../../format/times";
import { RowPaper } from "../rows/RowPaper";
import { differing, SETTINGS, type RunRow } from "./rows";

const MOST = 8; // as many as one chart can tell apart
const ROWS = 5;

const TITLES: Record<(typeof SETTINGS)[number], string> = {
  rate: "Rate",
  rank: "Rank",
  alpha: "Alpha",
  learning_rate: "Learning rate",
  weight_decay: "Weight decay",
  epochs: "Epochs",
  label_smoothing: "Label smoothing",
  consistency: "Consistency",
};

interface RunComparerProps {
  study: StudyDetail;
  runs: RunRow[];
  score: Quantity | undefined;
  onClose: () => void;
}

export default function RunComparer({ study, runs: ticked, score, onClose }: RunComparerProps) {
  const runs = ticked.slice(0, MOST);
  const ids = runs.map((run) => run.id);
  return (
    <Paper component="section" aria-label="Comparison of runs" p="md" radius="md" mb="md">
      <Group justify="space-between" mb="xs" wrap="nowrap">
        <Title order={2}>{count(runs.length, "run")} side by side</Title>
        <CloseButton aria-label="Close the comparison" onClick={onClose} />
      </Group>
      {ticked.length > MOST && (
        <Text size="xs" c="dimmed" mb="xs">
          The first {MOST} of {ticked.length}: more lines cannot be told apart.
        </Text>
      )}
      <Stack>
        <Settings runs={runs} score={score} />
        <NamedFigure figureOf={() => runsTogether(ids)} name="validation" title="Validation loss" height={280} />
        <Rows study={study} runs={runs} />
      </Stack>
    </Paper>
  );
}

/** A line for each thing that is not the same in all runs, and for what came out. */
function Settings({ runs, score }: { runs: RunRow[]; score: Quantity | undefined }) {
  const apart = differing(runs);
  const lines: [string, (run: RunRow) => string][] = [
    ["Seed", (run) => String(run.seed)],
    ...SETTINGS.filter((setting) => apart.has(setting)).map((setting): [string, (run: RunRow) => string] => [
      TITLES[setting],
      (run) => String(run[setting] ?? MISSING),
    ]),
    ["Status", (run) => run.status],
    ["Validation loss", (run) => decimals(run.validation_loss)],
    ...(score
      ? [
          [
            score.short_title,
            (run: RunRow) => (score.shown === "share" ? percent(run.score) : decimals(run.score)),
          ] as [string, (run: RunRow) => string],
        ]
      : []),
    ["Gap", (run) => decimals(run.gap)],
    ["Best step", (run) => String(run.kept_step ?? MISSING)],
    ["Time", (run) => (run.seconds > 0 ? duration(run.seconds) : MISSING)],
  ];
  return (
    <Table.ScrollContainer
      minWidth={160 * (runs.length + 1)}
      type="native"
      tabIndex={0}
      aria-label="Settings and results"
    >
      <Table>
        <Table.Thead>
          <Table.Tr>
            <Table.Th />
            {runs.map((run) => (
              <Table.Th key={run.id} style={{ whiteSpace: "normal" }}>
                <Group gap={6} wrap="nowrap">
                  <ArmMark arm={run} />
                  <span dir="auto">
                    {run.arm_label}, seed {run.seed}
                  </span>
                </Group>
              </Table.Th>
            ))}
          </Table.Tr>
        </Table.Thead>
        <Table.Tbody>
          {lines.map(([title, tell]) => {
            const told = runs.map(tell);
            const same = new Set(told).size === 1;
            return (
              <Table.Tr key={title}>
                <Table.Th scope="row">{title}</Table.Th>
                {told.map((text, at) => (
                  <Table.Td key={runs[at]!.id} c={same ? "dimmed" : undefined} fw={same ? undefined : 550}>
                    {text}
                  </Table.Td>
                ))}
              </Table.Tr>
            );
          })}
        </Table.Tbody>
      </Table>
      {apart.size === 0 && (
        <Text size="xs" c="dimmed" mt={6}>
          No setting differs but the method and the seed.
        </Text>
      )}
    </Table.ScrollContainer>
  );
}

function Rows({ study, runs }: { study: StudyDetail; runs: RunRow[] }) {
  const finished = runs.filter((run) => run.status === "succeeded").map((run) => run.id);
  const { data, isError } = useQuery({
    ...rowsOfRuns(study.id, finished, "apart", ROWS),
    enabled: finished.length >= 2,
  });
  if (finished.length < 2 || isError || data?.items.length === 0)
    return (
      <Text size="sm" c="dimmed">
        Rows that they disagree on are told of two or more finished runs that kept what they say of each row.
      </Text>
    );
  return (
    <section aria-label="Rows that the runs disagree on">
      <Title order={3} mb="xs">
        Rows that they disagree on most
      </Title>
      <Stack gap="sm">
        {data?.items.map((row) => (
          <RowPaper key={row.row} row={row} />
        ))}
      </Stack>
    </section>
  );
}
