/** What the page knows of the scores of tasks: their names, which way is better, and how they are written. */
import type { Comparison, Metric } from "../api/types";
import { decimals, percent } from "./numbers";

interface Score {
  value: Metric;
  title: string;
}

/** Validation scores that arms are compared by, in the order of the table's columns. */
export const SCORES: Score[] = [
  { value: "validation/accuracy", title: "Accuracy" },
  { value: "validation/macro_f1", title: "Macro-F1" },
  { value: "validation/matthews", title: "Matthews" },
  { value: "validation/pearson", title: "Pearson" },
  { value: "validation/spearman", title: "Spearman" },
  { value: "validation/bleu", title: "BLEU" },
  { value: "validation/rouge_l", title: "ROUGE-L" },
  { value: "validation/chrf", title: "chrF" },
  { value: "validation/ter", title: "TER" },
];
const PERPLEXITY: Score = { value: "validation/perplexity", title: "Perplexity" };

const HIGHER = /\/(accuracy|macro_f1|matthews|pearson|spearman|bleu|chrf|rouge_l)$/;

export const higherIsBetter = (metric: string) => HIGHER.test(metric);
export const isShare = (metric: string) => metric.endsWith("/accuracy");
const isPoints = (metric: string) => /\/(bleu|chrf|ter|rouge_l)$/.test(metric);

/** A mean as people read it: a share in per cent, points of 100 with one decimal, all else with three. */
export function scoreText(metric: Metric, mean: number | null | undefined): string {
  return isShare(metric) ? percent(mean) : decimals(mean, isPoints(metric) ? 1 : 3);
}

/** The scores that a study has. */
export function scoresOf(comparison: Comparison): Score[] {
  const recorded = new Set(comparison.arms.flatMap((arm) => Object.keys(arm.final)));
  return [PERPLEXITY, ...SCORES].filter(({ value }) => recorded.has(value));
}
