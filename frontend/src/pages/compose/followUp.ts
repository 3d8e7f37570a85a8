/** The study that follows from another one's verdict: its advised arms stopped in time, or more seeds and a plan. */
import type { ArmOut, ArmSpec, StudyDetail, StudySpec } from "../../api/types";
import { withBaseline } from "./draft";
import type { ComposeSearch } from "./search";

export function followUp(study: StudyDetail, start: StudySpec, search: ComposeSearch): StudySpec {
  const { arms: ids, patience, seeds, metric, smallest, clock } = search;
  if (ids === undefined && patience === undefined && seeds === undefined) return start;
  const draft: StudySpec = { ...start, name: `${study.name} (${seeds ? "larger" : "stopped in time"})`.slice(0, 200) };
  delete draft.plan; // the one before named its own arms and seeds
  if (ids) {
    const kept = study.arms.filter((arm) => arm.is_baseline || ids.includes(arm.id));
    draft.arms = kept.map((arm) => asWanted(arm, start.arms));
  }
  if (patience !== undefined) draft.training = { ...draft.training, patience, keep: "both" };
  if (seeds !== undefined) draft.seeds = seeds;
  if (seeds !== undefined && metric)
    draft.plan = { metric, clock: clock ?? "last", race: false, ...(smallest ? { smallest } : {}) };
  return withBaseline(draft);
}

/** What was asked for that came to this arm, every axis at the arm's own value. */
function asWanted(arm: ArmOut, asked: ArmSpec[]): ArmSpec {
  const named = asked.filter(({ method }) => (method ?? "composed") === arm.method);
  const found = named.find(({ label }) => label === arm.label) ?? named.find((one) => sameSites(one, arm)) ?? named[0];
  const { spec } = arm;
  const rates = sitesOf(arm).flatMap(({ rate }) => (typeof rate === "number" ? [rate] : []));
  const own = { ...(found ?? { method: arm.method }) };
  if (Array.isArray(own.rate)) own.rate = rates.length > 0 ? Math.max(...rates) : null;
  if (Array.isArray(own.rank)) own.rank = spec.rank;
  if (Array.isArray(own.alpha)) own.alpha = spec.alpha;
  if (Array.isArray(own.learning_rate)) own.learning_rate = spec.training.learning_rate;
  if (Array.isArray(own.weight_decay)) own.weight_decay = spec.training.weight_decay;
  if (Array.isArray(own.epochs)) own.epochs = spec.training.epochs;
  if (Array.isArray(own.label_smoothing)) own.label_smoothing = spec.training.label_smoothing;
  return own;
}

const sitesOf = (arm: ArmOut) => (arm.spec.method.sites ?? []) as Record<string, unknown>[];

function sameSites({ sites }: ArmSpec, arm: ArmOut): boolean {
  const places = (some: Record<string, unknown>[]) =>
    some.map((one) => `${String(one.position)}/${String(one.structure)}`);
  return !!sites && places(sites).join() === places(sitesOf(arm)).join();
}
