/** A plan in the form: by what a study can be judged, its usual sizes, and edits that leave out what is as usual. */
import type { StudySpec } from "../../api/types";

type Plan = NonNullable<StudySpec["plan"]>;

const TITLES: Record<string, string> = {
  loss: "loss",
  accuracy: "accuracy",
  macro_f1: "macro-F1",
  matthews: "Matthews correlation",
  pearson: "Pearson correlation",
  spearman: "Spearman correlation",
};
const BY_TASK: Record<StudySpec["task"], string[]> = {
  classification: ["loss", "accuracy", "macro_f1", "matthews"],
  regression: ["pearson", "loss", "spearman"],
  causal_lm: ["loss"],
};

/** The unit of differences in a metric; of a squared error none that has a name. */
export function unitOf({ task }: StudySpec, metric: string): string {
  return metric.endsWith("/loss") && task !== "regression" ? "nats" : "";
}

/** Which difference matters unless a plan says another, as the server has it, in words. */
export function usualSize(spec: StudySpec, metric: string): string {
  const name = metric.split("/")[1];
  if (name === "loss") return spec.task === "regression" ? "say one" : "0.02 nats";
  if (name === "accuracy" || name === "macro_f1") return "0.01, a point of 100";
  return name === "matthews" ? "0.02" : "0.01";
}

/** The quantities that a plan of this study may name, the usual one first; on test rows where there are some. */
export function judgedBy({ task, test_rows }: StudySpec): { value: string; label: string }[] {
  const splits = test_rows ? ["test", "validation"] : ["validation"];
  return splits.flatMap((split) =>
    BY_TASK[task].map((name) => ({ value: `${split}/${name}`, label: `${split} ${TITLES[name]}` })),
  );
}

/** The study with a part of its plan changed; a plan that says nothing is none of one's own. */
export function setPlan(spec: StudySpec, part: Partial<Plan>): StudySpec {
  const merged = Object.entries({ ...spec.plan, ...part }).filter(
    ([, value]) => value !== null && value !== "" && value !== false,
  );
  const plan = Object.fromEntries(
    merged.filter(([key, value]) => key !== "clock" || value !== "last"),
  ) as Partial<Plan>;
  return Object.keys(plan).length > 0 ? { ...spec, plan: plan as Plan } : withoutPlan(spec, false);
}

/** With `null`, which says that there is none, or as usual. */
export function withoutPlan(spec: StudySpec, none: boolean): StudySpec {
  const rest = { ...spec };
  delete rest.plan;
  return none ? { ...rest, plan: null } : rest;
}

/** "5, 12" as numbers; null where nothing is written, undefined where it cannot be read. */
export function asLooks(text: string): number[] | null | undefined {
  const parts = text.split(/[\s,;]+/).filter((part) => part !== "");
  if (parts.length === 0) return null;
  return parts.every((part) => /^\d{1,3}$/.test(part)) ? parts.map(Number) : undefined;
}

/** When verdicts are drawn unless a plan says otherwise, as the server has it. */
export function usualLooks({ seeds, plan }: StudySpec): number[] {
  const most = plan?.seeds ?? (plan?.race ? Math.max(12, seeds) : seeds);
  const between = plan?.race ? [5, 8, 12].filter((look) => look > seeds && look < most) : [];
  return [...new Set([seeds, ...between, most])];
}
