/** The whole view of a study as its address holds it; what is as usual stays out of the address. */
import type { Band, Metric, XAxis } from "../../api/types";
import type { View } from "../../api/view";
import { SCORES } from "../../format/metrics";

export const X_AXES: { value: XAxis; label: string }[] = [
  { value: "step", label: "Steps" },
  { value: "epoch", label: "Epochs" },
  { value: "tokens", label: "Tokens" },
  { value: "seconds", label: "Seconds" },
];

export const BANDS: { value: Band; label: string }[] = [
  { value: "t", label: "95 % t interval" },
  { value: "seeds", label: "Every seed" },
  { value: "minmax", label: "Min–max" },
  { value: "sd", label: "± 1 SD" },
];

export const METRICS: { value: Metric; label: string }[] = [
  { value: "validation/loss", label: "Validation loss" },
  { value: "gap", label: "Generalization gap" },
  ...SCORES.map(({ value, title }) => ({ value, label: title })),
  { value: "test/loss", label: "Test loss" },
  { value: "test/accuracy", label: "Test accuracy" },
  { value: "test/macro_f1", label: "Test macro-F1" },
  { value: "test/matthews", label: "Test Matthews" },
  { value: "test/pearson", label: "Test Pearson" },
  { value: "test/spearman", label: "Test Spearman" },
];

export const TABS = [
  { value: "results", label: "Results" },
  { value: "heatmap", label: "Method × rate × rank" },
  { value: "significance", label: "Significance" },
  { value: "train_inference", label: "Train/inference gap" },
  { value: "capacity", label: "Capacity" },
  { value: "framework", label: "Framework" },
  { value: "runs", label: "Runs" },
] as const;
export type StudyTab = (typeof TABS)[number]["value"];

export interface StudySearch {
  baseline?: string | undefined;
  metric?: Metric | undefined;
  x?: XAxis | undefined;
  band?: Band | undefined;
  /** Losses on a logarithmic axis. */
  log?: true | undefined;
  tab?: StudyTab | undefined;
  /** Ids of the arms that are not drawn. */
  hide?: string[] | undefined;
  /** Words that the runs are filtered by. */
  runs?: string | undefined;
}

function oneOf<T extends string>(choices: readonly { value: T }[], raw: unknown): T | undefined {
  const found = choices.find((choice) => choice.value === raw)?.value;
  return found === choices[0]?.value ? undefined : found;
}

export function studySearch(raw: Record<string, unknown>): StudySearch {
  const hide = Array.isArray(raw.hide) ? raw.hide.filter((id): id is string => typeof id === "string") : [];
  const view: StudySearch = {
    baseline: typeof raw.baseline === "string" ? raw.baseline : undefined,
    metric: oneOf(METRICS, raw.metric),
    x: oneOf(X_AXES, raw.x),
    band: oneOf(BANDS, raw.band),
    log: raw.log === true || undefined,
    tab: oneOf(TABS, raw.tab),
    hide: hide.length > 0 ? hide : undefined,
    runs: typeof raw.runs === "string" && raw.runs ? raw.runs.slice(0, 200) : undefined,
  };
  return Object.fromEntries(Object.entries(view).filter(([, value]) => value !== undefined));
}

/** What the server is asked for; `hide`, tab and filter are the page's own. */
export function viewOf({ baseline, metric = "validation/loss", x = "step", band = "t" }: StudySearch): View {
  return { baseline, metric, x, band };
}
