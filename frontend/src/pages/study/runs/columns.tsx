/** The columns of the table of runs; which of them are shown is the reader's choice. */
import { Group, Progress, Text } from "@mantine/core";
import {
  columnVisibilityFeature,
  createColumnHelper,
  createSortedRowModel,
  rowSelectionFeature,
  rowSortingFeature,
  sortFn_alphanumeric,
  sortFn_text,
  tableFeatures,
} from "@tanstack/react-table";
import type { Quantity } from "../../../api/types";
import { ArmMark } from "../../../components/ArmMark";
import { AnchorLink } from "../../../components/links";
import { StatusBadge } from "../../../components/StatusBadge";
import { compact, decimals, MISSING, percent } from "../../../format/numbers";
import { duration } from "../../../format/times";
import type { RunRow } from "./rows";

export const features = tableFeatures({
  rowSortingFeature,
  columnVisibilityFeature,
  rowSelectionFeature,
  sortedRowModel: createSortedRowModel(),
  sortFns: { alphanumeric: sortFn_alphanumeric, text: sortFn_text },
});

const helper = createColumnHelper<typeof features, RunRow>();

/** score: the task's, whose column it names. */
export const columnsOf = (score: Quantity | undefined) =>
  helper.columns([
    helper.accessor("position", { header: "#" }),
    helper.accessor("arm_label", {
      header: "Arm",
      enableHiding: false,
      cell: ({ row: { original: run } }) => (
        <Group gap={7} wrap="nowrap">
          <ArmMark arm={run} />
          <AnchorLink
            to="/runs/$runId"
            params={{ runId: run.id }}
            size="sm"
            truncate
            display="block"
            maw={260}
            dir="auto"
            aria-label={`${run.arm_label}, seed ${run.seed}`}
          >
            {run.arm_label}
          </AnchorLink>
        </Group>
      ),
    }),
    helper.accessor("seed", { header: "Seed" }),
    helper.accessor("status", {
      header: "Status",
      cell: ({ row: { original: run } }) => (
        <StatusBadge
          status={run.status}
          reason={run.cancel_requested && run.status === "running" ? "stopping" : run.message}
        />
      ),
    }),
    helper.accessor("progress", {
      header: "Progress",
      cell: ({ row: { original: run } }) => <Steps run={run} />,
    }),
    helper.accessor("rate", { header: "Rate", cell: (cell) => cell.getValue() ?? MISSING }),
    helper.accessor("rank", { header: "Rank" }),
    helper.accessor("alpha", { header: "Alpha" }),
    helper.accessor("learning_rate", { header: "Learning rate" }),
    helper.accessor("weight_decay", { header: "Weight decay" }),
    helper.accessor("epochs", { header: "Epochs", cell: (cell) => cell.getValue() ?? MISSING }),
    helper.accessor("label_smoothing", { header: "Label smoothing" }),
    helper.accessor("consistency", { header: "Consistency" }),
    helper.accessor("validation_loss", { header: "Validation loss", cell: (cell) => decimals(cell.getValue()) }),
    helper.accessor("score", {
      header: score?.short_title ?? "Score",
      cell: (cell) => (score?.shown === "share" ? percent(cell.getValue()) : decimals(cell.getValue())),
    }),
    helper.accessor("kept_step", { header: "Best step", cell: (cell) => cell.getValue() ?? MISSING }),
    helper.accessor("gap", { header: "Gap", cell: (cell) => decimals(cell.getValue()) }),
    helper.accessor("attempt", { header: "Attempts" }),
    helper.accessor("seconds", {
      header: "Time",
      cell: (cell) => (cell.getValue() > 0 ? duration(cell.getValue()) : MISSING),
    }),
    helper.accessor("flops", { header: "FLOPs", cell: (cell) => compact(cell.getValue()) }),
  ]);

/** Hidden until asked for; settings that differ between arms are shown anyway. */
export const HIDDEN_AT_FIRST = [
  "position",
  "alpha",
  "learning_rate",
  "weight_decay",
  "epochs",
  "label_smoothing",
  "consistency",
  "rate",
  "rank",
  "flops",
];

function Steps({ run }: { run: RunRow }) {
  const steps = run.total_steps > 0 ? `${run.step} of ${run.total_steps}` : "not started";
  return (
    <Group gap={8} wrap="nowrap" miw={150}>
      <Progress value={100 * run.progress} size={5} flex={1} miw={50} aria-label={`Progress: ${steps}`} />
      <Text span size="xs" c="dimmed" w={76} ta="right">
        {steps}
      </Text>
    </Group>
  );
}
