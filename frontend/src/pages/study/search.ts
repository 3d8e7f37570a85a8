/** The whole view of a study as its address holds it; what is as usual stays out of the address. */
import type { Band, Clock, Metric, XAxis } from "../../api/types";
import { PLAIN_LOOK, PLAIN_VIEW, type ColourBy, type Look, type PanelBy, type View } from "../../api/view";

export const CLOCKS: { value: Clock; label: string }[] = [
  { value: "last", label: "At the last step" },
  { value: "stopped", label: "Stopped in time" },
];

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

/** What the curves show; "asked" is the metric that everything follows, where it is no loss. */
export const CURVES = [
  { value: "asked", label: "Chosen metric" },
  { value: "losses", label: "Losses" },
  { value: "gap", label: "Gap" },
] as const;
export type Curves = (typeof CURVES)[number]["value"];

export const PANELS: { value: PanelBy; label: string }[] = [
  { value: "auto", label: "Panel by method and rank" },
  { value: "method", label: "Panel by method" },
  { value: "rank", label: "Panel by rank" },
  { value: "rate", label: "Panel by rate" },
  { value: "arm", label: "Panel by arm" },
];

export const COLOURS: { value: ColourBy; label: string }[] = [
  { value: "method", label: "Colour by method" },
  { value: "rank", label: "Colour by rank" },
  { value: "rate", label: "Colour by rate" },
];

export const TABS = [
  { value: "results", label: "Results" },
  { value: "heatmap", label: "Method × rate × rank" },
  { value: "significance", label: "Significance" },
  { value: "train_inference", label: "Train/inference gap" },
  { value: "capacity", label: "Capacity" },
  { value: "framework", label: "Framework" },
  { value: "rows", label: "Rows" },
  { value: "runs", label: "Runs" },
] as const;
export type StudyTab = (typeof TABS)[number]["value"];

export interface StudySearch {
  baseline?: string | undefined;
  metric?: Metric | undefined;
  clock?: Clock | undefined;
  x?: XAxis | undefined;
  band?: Band | undefined;
  /** Losses on a logarithmic axis. */
  log?: true | undefined;
  curves?: Curves | undefined;
  panel?: PanelBy | undefined;
  colour?: ColourBy | undefined;
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

/** What may be a metric's name; whether this study has it, the server says. */
function metricOf(raw: unknown): Metric | undefined {
  const plausible = typeof raw === "string" && raw.length < 60 && /^[a-z]\w*(\/[a-z]\w*)?$/.test(raw);
  return plausible && raw !== PLAIN_VIEW.metric ? (raw as Metric) : undefined;
}

export function studySearch(raw: Record<string, unknown>): StudySearch {
  const hide = Array.isArray(raw.hide) ? raw.hide.filter((id): id is string => typeof id === "string") : [];
  // Keys that hold nothing usable are there as undefined: the router would keep the raw ones otherwise.
  return {
    baseline: typeof raw.baseline === "string" ? raw.baseline : undefined,
    metric: metricOf(raw.metric),
    clock: oneOf(CLOCKS, raw.clock),
    x: oneOf(X_AXES, raw.x),
    band: oneOf(BANDS, raw.band),
    log: raw.log === true || undefined,
    curves: CURVES.find(({ value }) => value === raw.curves)?.value,
    panel: oneOf(PANELS, raw.panel),
    colour: oneOf(COLOURS, raw.colour),
    tab: oneOf(TABS, raw.tab),
    hide: hide.length > 0 ? hide : undefined,
    runs: typeof raw.runs === "string" && raw.runs ? raw.runs.slice(0, 200) : undefined,
  };
}

/** What the server is asked for; `hide`, tab and filter are the page's own. */
export function viewOf({
  baseline,
  metric = PLAIN_VIEW.metric,
  clock = PLAIN_VIEW.clock,
  x = PLAIN_VIEW.x,
  band = PLAIN_VIEW.band,
}: StudySearch): View {
  return { baseline, metric, clock, x, band };
}

const CURVE_FIGURES = new Set(["curves", "losses", "gap"]);

/** How a figure is drawn: what a person chose for curves, and nothing that other figures know nothing of. */
export function lookOf(name: string, { log, panel = "auto", colour = "method" }: StudySearch): Look {
  return CURVE_FIGURES.has(name) ? { log_y: log === true && name !== "gap", panel, colour } : PLAIN_LOOK;
}
