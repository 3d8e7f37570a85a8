/** The two clocks of a comparison: what an arm comes to at its last evaluation, and stopped at its best one. */
import type { ArmComparison, Clock, Difference, Estimate } from "./types";

export const CLOCK_WORDS: Record<Clock, string> = { last: "at the last step", stopped: "stopped in time" };

export const otherClock = (clock: Clock): Clock => (clock === "last" ? "stopped" : "last");

interface Judged {
  final: Record<string, Estimate | undefined>;
  differences: Record<string, Difference | undefined>;
}

/** An arm's values and its differences to the baseline, both at one clock; empty where it has none yet. */
export function judgedAt(arm: ArmComparison, clock: Clock): Judged {
  return clock === "last" ? arm : (arm.stopped ?? { final: {}, differences: {} });
}

/** Where its runs were best: "step 58", or "steps 34–96" where they do not agree. */
export function stoppedWhere({ stopped }: ArmComparison): string | undefined {
  if (!stopped) return undefined;
  const { first, last } = stopped.step;
  return first === last ? `step ${first}` : `steps ${first}–${last}`;
}
