/** The rows of the picture of differences: each arm against the baseline at both clocks, and the baseline stopped. */
import type { ArmComparison, Comparison, Difference, Metric } from "../../../api/types";
import { PLAIN_VIEW } from "../../../api/view";

export interface Span {
  mean: number;
  lo: number;
  hi: number;
}

export interface ForestRow {
  id: string;
  label: string;
  arm: ArmComparison;
  /** Against the baseline at its last step. */
  last: Span | undefined;
  /** Against the baseline stopped, both stopped; of the baseline itself: stopped against its last step. */
  stopped: Span | undefined;
}

const MOST = 10;

/** The best arms by the ranking, at most ten, the baseline's own row first; none before there is a difference. */
export function forestRows(comparison: Comparison, hidden: ReadonlySet<string>): ForestRow[] {
  const { ranking } = comparison;
  const metric = pictured(comparison);
  const byId = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  const rows = ranking
    .map((id) => byId.get(id))
    .filter((arm) => arm !== undefined)
    .filter((arm) => !arm.is_baseline && !hidden.has(arm.id))
    .slice(0, MOST)
    .map((arm) => ({
      id: arm.id,
      label: arm.label,
      arm,
      last: spanOf(arm.differences[metric]),
      stopped: spanOf(arm.stopped?.differences[metric]),
    }));
  const base = comparison.arms.find((arm) => arm.is_baseline);
  const free = turned(spanOf(base?.stopped?.last_against_stopped[metric]));
  const own = base && free ? [{ id: base.id, label: base.label, arm: base, last: undefined, stopped: free }] : [];
  return [...own, ...rows].filter(({ last, stopped }) => last ?? stopped);
}

/** What is pictured: the loss that the verdict speaks of, unless another quantity is asked for. */
export function pictured({ metric, verdict }: Comparison): Metric {
  return metric === PLAIN_VIEW.metric ? verdict.metric : metric;
}

/** Whether the verdict needs a picture of its own: the main chart shows another quantity than it speaks of. */
export const hasPicture = (comparison: Comparison) => pictured(comparison) !== comparison.metric;

function spanOf(difference: Difference | undefined): Span | undefined {
  if (!difference || difference.mean === null) return undefined;
  const { mean, lo, hi } = difference;
  return { mean, lo: lo ?? mean, hi: hi ?? mean };
}

const turned = (span: Span | undefined) => span && { mean: -span.mean, lo: -span.hi, hi: -span.lo };

/** From where to where the picture reaches, 0 within it, with a little air. */
export function reach(rows: ForestRow[]): [number, number] {
  const ends = rows.flatMap(({ last, stopped }) => [last, stopped].flatMap((span) => (span ? [span.lo, span.hi] : [])));
  const [low, high] = [Math.min(0, ...ends), Math.max(0, ...ends)];
  const air = 0.04 * (high - low || 1);
  return [low - air, high + air];
}
