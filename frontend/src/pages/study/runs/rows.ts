/** A run with its arm's settings and its final numbers beside it, and the words that runs are filtered by. */
import type { Comparison, Quantity, RunSummary } from "../../../api/types";

export interface RunRow extends RunSummary {
  rate: number | null;
  rank: number;
  alpha: number;
  learning_rate: number;
  weight_decay: number;
  epochs: number | null;
  label_smoothing: number;
  consistency: string;
  validation_loss: number | null;
  /** The task's score on validation rows, where it has one. */
  score: number | null;
  /** Step of its best evaluation. */
  kept_step: number | null;
  colour_key: string;
  variant: number;
  gap: number | null;
  flops: number | null;
}

/** Settings that may differ between the arms of a study. */
export const SETTINGS = [
  "rate",
  "rank",
  "alpha",
  "learning_rate",
  "weight_decay",
  "epochs",
  "label_smoothing",
  "consistency",
] as const;
export type Setting = (typeof SETTINGS)[number];

const SCORES = ["accuracy", "matthews", "pearson", "spearman", "rouge_l", "bleu", "chrf"];

/** The task's score, the first that was recorded: what a person means by better. */
export function scoreOf({ metrics }: Comparison): Quantity | undefined {
  const held = SCORES.map((score) => metrics.find(({ name }) => name === `validation/${score}`));
  return held.find((quantity) => quantity !== undefined);
}

export function runRows(runs: RunSummary[], comparison: Comparison): RunRow[] {
  const score = scoreOf(comparison)?.name;
  const arms = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  return runs.flatMap((run) => {
    const arm = arms.get(run.arm_id);
    if (!arm) return [];
    const final = (name: Quantity["name"]) =>
      arm.final[name]?.seeds.find((seed) => seed.run_id === run.id)?.value ?? null;
    return {
      ...run,
      rate: arm.rate,
      rank: arm.rank,
      alpha: arm.alpha,
      learning_rate: arm.learning_rate,
      weight_decay: arm.weight_decay,
      epochs: arm.epochs,
      label_smoothing: arm.label_smoothing,
      consistency: arm.consistency_kind,
      validation_loss: final("validation/loss"),
      score: score ? final(score) : null,
      kept_step: arm.runs.find(({ run_id }) => run_id === run.id)?.kept_step ?? null,
      colour_key: arm.colour_key,
      variant: arm.variant,
      gap: final("gap"),
      flops: run.status === "succeeded" ? arm.compute.flops : null,
    };
  });
}

/** Settings that are not the same in all runs; alpha only where it does not simply follow the rank. */
export function differing(rows: RunRow[]): Set<Setting> {
  const value = (row: RunRow, setting: Setting) => (setting === "alpha" ? row.alpha / row.rank : row[setting]);
  return new Set(SETTINGS.filter((setting) => new Set(rows.map((row) => value(row, setting))).size > 1));
}

const FIELDS: Record<string, (row: RunRow) => string> = {
  arm: (row) => row.arm_label,
  method: (row) => row.method,
  status: (row) => row.status,
  seed: (row) => String(row.seed),
  rate: (row) => String(row.rate ?? ""),
  rank: (row) => String(row.rank),
};

const WORDS = /(?:(\w+):)?(?:"([^"]*)"|(\S+))/g;

/** Keys of a filter that no run has: `loss:0.6`, `foo:bar`. */
export function unknownKeys(text: string): string[] {
  return [...text.matchAll(WORDS)].flatMap(([, key]) => (key && !FIELDS[key.toLowerCase()] ? [key] : []));
}

export const KNOWN_KEYS = Object.keys(FIELDS);

/** Rows for which every word holds: `status:failed`, `arm:"HiddenKey 0.1"`, or text anywhere in the arm's name. */
export function filtered(rows: RunRow[], text: string): RunRow[] {
  const words = [...text.matchAll(WORDS)].map(([, key, quoted, plain]) => ({
    field: key ? FIELDS[key.toLowerCase()] : undefined,
    key,
    value: (quoted ?? plain ?? "").toLowerCase(),
  }));
  return rows.filter((row) =>
    words.every(({ field, key, value }) => {
      if (key === undefined) return `${row.arm_label} ${row.method} ${row.status}`.toLowerCase().includes(value);
      if (field === undefined) return false;
      const held = field(row).toLowerCase();
      return key === "arm" || key === "method" ? held.includes(value) : held === value;
    }),
  );
}
