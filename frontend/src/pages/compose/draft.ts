/** Edits of a study that is being written. The draft is the `StudySpec` itself, so that problems point straight into it. */
import type { AdapterFacts, ArmSpec, DatasetFacts, MethodOut, StudySpec } from "../../api/types";

export const DEFAULTS: StudySpec = {
  spec_version: 1,
  name: "",
  model: "",
  dataset: "",
  train_rows: 256,
  validation_rows: 512,
  task: "classification",
  lora: { rank: 8 },
  training: {
    epochs: 8,
    batch_size: 16,
    learning_rate: 0.002,
    weight_decay: 0.1,
    warmup_ratio: 0.06,
    gradient_clip: 1,
    max_length: 64,
    label_smoothing: 0,
    evaluations: 8,
    dropout_on_rows: 128,
    precision: "auto",
    fp32_loss: true,
    keep: "both",
    keep_by: "loss",
    min_delta: 0,
    truncate: "end",
    schedule: "linear",
  },
  also_measure: [],
  also_rows: 200,
  seeds: 5,
  arms: [],
};

/** A study as read from a file or another study, every part that has a default filled in. */
export function completed(spec: Partial<StudySpec>): StudySpec {
  return {
    ...DEFAULTS,
    ...spec,
    lora: { ...DEFAULTS.lora, ...spec.lora },
    training: { ...DEFAULTS.training, ...spec.training },
  };
}

/** One number, or an axis of several. */
export function asList(value: number | number[] | null | undefined): number[] {
  if (value === null || value === undefined) return [];
  return Array.isArray(value) ? value : [value];
}

function asAxis(values: number[]): number | number[] | null {
  const sorted = [...new Set(values)].sort((a, b) => a - b);
  return sorted.length > 1 ? sorted : (sorted[0] ?? null);
}

const RIVAL_AXES = ["epochs", "learning_rate", "weight_decay", "label_smoothing", "rank"] as const;
export type RivalAxis = (typeof RIVAL_AXES)[number];

/** The one setting that makes an arm of plain LoRA a free rival; undefined where it is none. */
export function rivalAxis(arm: ArmSpec): RivalAxis | undefined {
  const own = RIVAL_AXES.filter((axis) => typeof arm[axis] === "number");
  const tuned = RIVAL_AXES.some((axis) => axis !== "rank" && Array.isArray(arm[axis]));
  return arm.method === "none" && own.length === 1 && !tuned ? own[0] : undefined;
}

/** Where the preset's arm stands in the list; -1 where it is not chosen. */
export function armOf(spec: StudySpec, method: string): number {
  return spec.arms.findIndex((arm) => arm.method === method && !rivalAxis(arm));
}

export function toggleMethod(spec: StudySpec, preset: MethodOut): StudySpec {
  const at = armOf(spec, preset.name);
  if (at >= 0) return withoutArm(spec, at);
  const arm: ArmSpec = { method: preset.name };
  if (preset.default_rate !== null) arm.rate = preset.default_rate;
  const ranks = commonRanks(spec);
  if (ranks.length > 1) arm.rank = ranks;
  // No dropout stands first: where it has several ranks, the first arm is the baseline.
  return withBaseline({ ...spec, arms: preset.name === "none" ? [arm, ...spec.arms] : [...spec.arms, arm] });
}

export function withoutArm(spec: StudySpec, at: number): StudySpec {
  return withBaseline({ ...spec, arms: spec.arms.filter((_, index) => index !== at) });
}

export function withArm(spec: StudySpec, at: number, change: Partial<ArmSpec>): StudySpec {
  return { ...spec, arms: spec.arms.map((arm, index) => (index === at ? { ...arm, ...change } : arm)) };
}

export function setRates(spec: StudySpec, at: number, rates: number[]): StudySpec {
  return rates.length === 0 ? spec : withArm(spec, at, { rate: asAxis(rates) });
}

/** The ranks that all arms are trained at. */
export function commonRanks(spec: StudySpec): number[] {
  const own = asList(spec.arms.find((arm) => arm.rank && rivalAxis(arm) !== "rank")?.rank);
  return own.length > 0 ? own : [spec.lora.rank];
}

export function setRanks(spec: StudySpec, ranks: number[]): StudySpec {
  const axis = asAxis(ranks);
  if (axis === null) return spec;
  if (!Array.isArray(axis)) {
    const arms = spec.arms.map((arm) => (rivalAxis(arm) === "rank" ? arm : { ...arm, rank: null }));
    return withBaseline({ ...spec, lora: { ...spec.lora, rank: axis }, arms });
  }
  const arms = spec.arms.filter((arm) => rivalAxis(arm) !== "rank").map((arm) => ({ ...arm, rank: axis }));
  return withBaseline({ ...spec, arms });
}

/** The data set decides the task; row counts shrink to what it has. */
export function setDataset(spec: StudySpec, dataset: DatasetFacts): StudySpec {
  const atMost = (rows: number | null | undefined, split: string) =>
    rows ? Math.min(rows, dataset.rows[split] ?? rows) : rows;
  const rest = { ...spec };
  delete rest.plan;
  return {
    ...(dataset.task === spec.task ? spec : rest), // another task is judged by other metrics
    dataset: dataset.id,
    task: dataset.task,
    train_rows: atMost(spec.train_rows, "train"),
    validation_rows: atMost(spec.validation_rows, "validation"),
    also_measure: dataset.task === spec.task ? spec.also_measure.filter((id) => id !== dataset.id) : [],
  };
}

/** Every run starts from this adapter, whose rank, alpha and modules are then the study's; null: from a fresh one. */
export function setStart(spec: StudySpec, adapter: AdapterFacts | null): StudySpec {
  const { rank, alpha } = adapter ?? { rank: spec.lora.rank, alpha: null };
  return { ...setRanks(spec, [rank]), start_from: adapter?.id ?? null, lora: { rank, alpha, target_modules: null } };
}

/** Another model, whose modules have names of their own and which no adapter of the former one fits. */
export function setModel(spec: StudySpec, model: string): StudySpec {
  const kept = spec.start_from ? setStart(spec, null) : spec;
  return { ...kept, model, lora: { ...kept.lora, target_modules: null } };
}

/** `none` is the baseline whenever it means one of the arms and nothing else was named; else the first plain arm is. */
export function withBaseline(spec: StudySpec): StudySpec {
  const { baseline, ...rest } = spec;
  const plain = spec.arms.filter((arm) => arm.method === "none");
  const axes = [plain[0]?.rank, plain[0]?.learning_rate, plain[0]?.weight_decay, plain[0]?.epochs];
  const single = plain.length === 1 && axes.every((axis) => asList(axis).length < 2);
  const named = baseline && baseline !== "none" ? baseline : single ? "none" : null;
  return named ? { ...rest, baseline: named } : rest;
}

/** The study without what is null or unset, as a person would write it; a plan that is null says that there is none. */
export function asWritten({ also_measure, also_rows, ...spec }: StudySpec): Record<string, unknown> {
  const also = also_measure.length > 0 ? { also_measure, also_rows } : {};
  return JSON.parse(
    JSON.stringify({ ...spec, ...also }, (key, value: unknown) =>
      value === null && key !== "plan" ? undefined : value,
    ),
  );
}
