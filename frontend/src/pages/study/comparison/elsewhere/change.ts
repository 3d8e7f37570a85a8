/** What changed on a further data set, looked up and written. */
import type { Clock, Comparison } from "../../../../api/types";
import { percent, percentPoints, plusMinus } from "../../../../format/numbers";

export type Measure = NonNullable<Comparison["elsewhere"]>["sets"][number]["measures"][number];
type Change = Measure["arms"][number]["last"];

/** An arm's change at a clock; undefined where it is not known. */
export function changeAt(measure: Measure, armId: string, clock: Clock): Change | undefined {
  const arm = measure.arms.find(({ arm_id }) => arm_id === armId);
  return (clock === "last" ? arm?.last : arm?.stopped) ?? undefined;
}

interface Mean {
  mean: number | null;
  half_width: number | null;
}

/** A mean with its interval, shares in per cent; `change`: with its sign. `bare`: without the interval. */
export function written(measure: Measure, found: Mean | null | undefined, change: boolean, bare = false): string {
  const half = bare ? null : found?.half_width;
  if (measure.shown !== "share") return plusMinus(found?.mean, half, 3, change);
  return change ? percentPoints(found?.mean, half) : percent(found?.mean);
}

/** Whether a difference holds, and for whom. */
export function differenceWords(measure: Measure, { decided }: NonNullable<Change["difference"]>): string {
  if (decided === "undecided") return "no difference shown";
  return (decided === "higher") === measure.higher_is_better ? "better" : "worse";
}
