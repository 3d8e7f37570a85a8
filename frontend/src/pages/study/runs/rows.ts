/** A run with its arm's settings and its final numbers beside it, and the words that runs are filtered by. */
import type { Comparison, RunSummary } from "../../../api/types";

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

export function runRows(runs: RunSummary[], comparison: Comparison): RunRow[] {
  const arms = new Map(comparison.arms.map((arm) => [arm.id, arm]));
  return runs.flatMap((run) => {
    const arm = arms.get(run.arm_id);
    if (!arm) return [];
    const final = (name: "validation/loss" | "gap") =>
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

/** Rows for which every word holds: `status:failed`, `arm:"HiddenKey 0.1"`, or text anywhere in the arm's name. */
export function filtered(rows: RunRow[], text: string): RunRow[] {
  const words = [...text.matchAll(/(?:(\w+):)?(?:"([^"]*)"|(\S+))/g)].map(([, key, quoted, plain]) => ({
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
