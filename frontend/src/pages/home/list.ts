/** The list of studies: each one's state in a word, what the list is filtered by, and its orders. No DOM. */
import type { Counts, StudySummary } from "../../api/types";
import { FILTERS, type Column, type FilterKey, type Order } from "./search";

export const STATES = ["running", "queued", "paused", "finished", "incomplete", "failed", "cancelled"] as const;
export type State = (typeof STATES)[number];

export const STATE_MEANS: Record<State, string> = {
  running: "Runs of it are trained now.",
  queued: "Its runs wait for a worker.",
  paused: "It starts no further runs until somebody lets it go on.",
  finished: "Every run succeeded.",
  incomplete: "Ended; some runs failed or were cancelled.",
  failed: "Ended; no run succeeded.",
  cancelled: "Ended; its runs were cancelled before any finished.",
};

/** A study's state, from its runs. */
export function stateOf({ counts, paused }: { counts: Counts; paused: boolean }): State {
  const open = counts.queued + counts.running > 0;
  if (open && paused) return "paused";
  if (counts.running > 0) return "running";
  if (counts.queued > 0) return "queued";
  if (counts.succeeded === counts.total) return "finished";
  if (counts.succeeded > 0) return "incomplete";
  return counts.cancelled > 0 ? "cancelled" : "failed";
}

/** The verdict's state, in a word of the list. */
export const VERDICTS = {
  holds: "Clear",
  undecided: "Undecided",
  plain: "Measured",
  waiting: "Waiting",
} satisfies Record<NonNullable<StudySummary["headline"]>["state"], string>;

export type Filters = Partial<Record<FilterKey, string>>;

export const FILTER_TITLES: Record<FilterKey, string> = {
  state: "State",
  model: "Model",
  data: "Data set",
  person: "Person",
  tag: "Tag",
  verdict: "Verdict",
};

const VALUES: Record<FilterKey, (study: StudySummary) => string[]> = {
  state: (study) => [stateOf(study)],
  model: (study) => [study.model],
  data: (study) => [study.dataset],
  person: (study) => (study.created_by_name ? [study.created_by_name] : []),
  tag: (study) => study.tags,
  verdict: (study) => (study.headline ? [VERDICTS[study.headline.state].toLowerCase()] : []),
};

/** Values of a filter with how many studies have each, the states in their order, the others by name. */
export function valuesOf(studies: StudySummary[], key: FilterKey): [string, number][] {
  const counts = new Map<string, number>();
  for (const study of studies) for (const value of VALUES[key](study)) counts.set(value, (counts.get(value) ?? 0) + 1);
  const rank = (value: string) => (key === "state" ? STATES.indexOf(value as State) : 0);
  return [...counts].sort(([a], [b]) => rank(a) - rank(b) || a.localeCompare(b));
}

/** Studies that every filter holds for and whose name, model, data, tags or person contain the text. */
export function matching(studies: StudySummary[], filters: Filters, text: string | undefined): StudySummary[] {
  const wanted = (text ?? "").toLowerCase();
  const set = FILTERS.flatMap((key) => (filters[key] === undefined ? [] : ([[key, filters[key]]] as const)));
  return studies.filter((study) => {
    if (!set.every(([key, value]) => VALUES[key](study).includes(value))) return false;
    const { name, model, dataset, tags, created_by_name: person } = study;
    return !wanted || [name, model, dataset, person ?? "", ...tags].some((one) => one.toLowerCase().includes(wanted));
  });
}

const KEYS: Record<Column, (study: StudySummary) => string | number> = {
  state: (study) => STATES.indexOf(stateOf(study)),
  name: (study) => study.name.toLowerCase(),
  verdict: (study) => (study.headline ? Object.keys(VERDICTS).indexOf(study.headline.state) : 9),
  model: (study) => study.model,
  data: (study) => study.dataset,
  person: (study) => study.created_by_name ?? "",
  runs: (study) => study.counts.total,
  last: (study) => study.last_activity_at,
};

/** Studies in an order; those that are equal in it, and all without one, stay as they came: the newest first. */
export function ordered(studies: StudySummary[], order: Order | undefined): StudySummary[] {
  if (order === undefined) return studies;
  const sign = order.startsWith("-") ? -1 : 1;
  const keys = new Map(studies.map((study) => [study, KEYS[order.replace("-", "") as Column](study)]));
  return [...studies].sort((one, other) => {
    const [a, b] = [keys.get(one)!, keys.get(other)!];
    return sign * (typeof a === "string" ? a.localeCompare(String(b)) : a - Number(b));
  });
}

/** What a click on a column's head asks for: ascending, descending, then the newest first again. */
export function nextOrder(order: Order | undefined, column: Column): Order | undefined {
  const first: Order = column === "last" || column === "runs" ? `-${column}` : column;
  const second: Order = first === column ? `-${column}` : column;
  return order === first ? second : order === second ? undefined : first;
}
