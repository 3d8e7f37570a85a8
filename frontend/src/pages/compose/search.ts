/** What the form's address may say: a study to clone or to follow up, a template or a data set to begin with, an adapter. */
import type { Clock } from "../../api/types";

export interface ComposeSearch {
  from?: string;
  template?: string;
  start?: string;
  dataset?: string;
  /** Of the study `from`: ids of the arms to train again, beside its baseline. */
  arms?: string[];
  /** Evaluations without improvement after which a run ends. */
  patience?: number;
  seeds?: number;
  /** What the plan of a larger study judges by, and the smallest difference that matters. */
  metric?: string;
  smallest?: number;
  clock?: Clock;
}

const texts = ["from", "template", "start", "dataset", "metric"] as const;
const whole = (raw: unknown, most: number) => Number.isInteger(raw) && Number(raw) >= 1 && Number(raw) <= most;

export function composeSearch(raw: Record<string, unknown>): ComposeSearch {
  const found: ComposeSearch = {};
  for (const name of texts) if (typeof raw[name] === "string") found[name] = raw[name];
  const arms = Array.isArray(raw.arms) ? raw.arms.filter((id): id is string => typeof id === "string") : [];
  if (arms.length > 0) found.arms = arms;
  if (whole(raw.patience, 1000)) found.patience = Number(raw.patience);
  if (whole(raw.seeds, 64)) found.seeds = Number(raw.seeds);
  if (typeof raw.smallest === "number" && raw.smallest > 0) found.smallest = raw.smallest;
  if (raw.clock === "stopped") found.clock = "stopped";
  return found;
}
