/** What came out of the run, its place among the seeds of its arm, and how it differs from the baseline's same seed. */
import { Paper, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { comparison } from "../../api/studies";
import type { Comparison, Quantity, RunDetail } from "../../api/types";
import { PLAIN_VIEW } from "../../api/view";
import { AnchorLink } from "../../components/links";
import { decimals, MISSING, percent, percentPoints, signed } from "../../format/numbers";
import { scoreOf } from "../study/runs/rows";
import classes from "./RunNumbers.module.css";

export function RunNumbers({ run }: { run: RunDetail }) {
  const { data } = useQuery(comparison(run.study_id, PLAIN_VIEW));
  if (!data) return <div className={classes.room} />;
  const kept = data.arms.flatMap((arm) => arm.runs).find(({ run_id }) => run_id === run.id)?.kept_step;
  const score = scoreOf(data);
  const quantities = ["validation/loss", score?.name, "gap"].flatMap(
    (name) => data.metrics.find((quantity) => quantity.name === name) ?? [],
  );
  const open = run.status === "queued" || run.status === "running";
  const told = quantities.flatMap((quantity) => numberOf(data, run, quantity) ?? (open ? later(quantity.title) : []));
  if (told.length === 0) return null;
  return (
    <section aria-label="Results of this run" className={classes.numbers}>
      {told.map((number) => (
        <Paper key={number.title} px="md" py="sm" radius="md" className={classes.room}>
          <Text size="xs" c="dimmed" fw={600}>
            {number.title}
          </Text>
          <Text fz={20} fw={650} className="number" lh={1.3}>
            {number.value}
          </Text>
          <Text size="xs" c="dimmed" className="number">
            {number.place}
          </Text>
          {number.against && (
            <Text size="xs" className="number">
              {number.against.text}{" "}
              <AnchorLink to="/runs/$runId" params={{ runId: number.against.runId }} size="xs">
                the baseline’s seed {run.seed}
              </AnchorLink>
            </Text>
          )}
        </Paper>
      ))}
      {(open || (kept !== null && kept !== undefined)) && (
        <Paper px="md" py="sm" radius="md" className={classes.room}>
          <Text size="xs" c="dimmed" fw={600}>
            Best step
          </Text>
          <Text fz={20} fw={650} className="number" lh={1.3}>
            {kept ?? MISSING}
          </Text>
          <Text size="xs" c="dimmed" className="number">
            of {run.total_steps}, by validation rows
          </Text>
        </Paper>
      )}
    </section>
  );
}

interface Told {
  title: string;
  value: string;
  place: string;
  against: { text: string; runId: string } | undefined;
}

/** What stands in the place of a number that is not known yet, so that nothing moves when it is. */
const later = (title: string): Told => ({ title, value: MISSING, place: "known at its last step", against: undefined });

/** A quantity of this run at its last step; undefined where it is not finished. */
export function numberOf(
  { arms, baseline_arm_id }: Pick<Comparison, "arms" | "baseline_arm_id">,
  run: Pick<RunDetail, "id" | "arm_id" | "seed">,
  quantity: Pick<Quantity, "name" | "title" | "shown" | "higher_is_better">,
): Told | undefined {
  const seedsOf = (id: string | null) => arms.find((arm) => arm.id === id)?.final[quantity.name]?.seeds ?? [];
  const seeds = seedsOf(run.arm_id);
  const own = seeds.find(({ run_id }) => run_id === run.id);
  if (!own) return undefined;
  const share = quantity.shown === "share";
  const better = seeds.filter(({ value }) =>
    quantity.higher_is_better ? value > own.value : value < own.value,
  ).length;
  const base =
    run.arm_id === baseline_arm_id ? undefined : seedsOf(baseline_arm_id).find(({ seed }) => seed === run.seed);
  const apart = base && own.value - base.value;
  return {
    title: quantity.title,
    value: share ? percent(own.value) : decimals(own.value),
    place:
      seeds.length > 1 ? `${ordinal(better + 1)} best of its arm’s ${seeds.length} seeds` : "the only seed of its arm",
    against: base && {
      text: `${share ? percentPoints(apart, null) : signed(apart)} against`,
      runId: base.run_id,
    },
  };
}

function ordinal(n: number): string {
  if (n === 1) return "the";
  const end = { 1: "st", 2: "nd", 3: "rd" }[n % 100 > 10 && n % 100 < 14 ? 0 : n % 10] ?? "th";
  return `${n}${end}`;
}
