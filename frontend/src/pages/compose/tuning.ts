/** Each method at its best: four settings of every method, so that none has more chances than another. */
import type { ArmSpec, StudySpec } from "../../api/types";
import { asList, rivalAxis, withBaseline } from "./draft";

export const SETTINGS_EACH = 4;
const TUNED = ["rate", "learning_rate", "weight_decay", "epochs", "label_smoothing"] as const;

const settingsOf = (arm: ArmSpec) => TUNED.reduce((count, axis) => count * Math.max(1, asList(arm[axis]).length), 1);
const rounded = (value: number) => Number(value.toPrecision(6));

/** Whether every method is tried with several settings, and all with equally many. */
export function isTuned({ arms }: StudySpec): boolean {
  return arms.length > 0 && arms.every((arm) => settingsOf(arm) === SETTINGS_EACH);
}

/** Two rates by two learning rates; without a rate, two learning rates by two weight decays. Free rivals go: their
 * settings are those of plain LoRA. What is as usual comes first, so that the first plain arm is the baseline. */
export function tuned(spec: StudySpec): StudySpec {
  const { learning_rate: rate, weight_decay: decay } = spec.training;
  const arms = spec.arms
    .filter((arm) => !rivalAxis(arm))
    .map((arm): ArmSpec => {
      const own = asList(arm.rate)[0];
      const learning_rate = [rate, rounded(rate / 2)];
      return own
        ? { ...arm, rate: [rounded(own / 2), rounded(Math.min(own * 1.5, 0.95))], learning_rate, weight_decay: null }
        : { ...arm, learning_rate, weight_decay: decay > 0 ? [decay, rounded(3 * decay)] : [0, 0.1] };
    });
  return withBaseline({ ...spec, arms });
}

/** One setting of each method again: the study's own, and the rate between the two. */
export function untuned(spec: StudySpec): StudySpec {
  const arms = spec.arms.map((arm): ArmSpec => {
    const rates = asList(arm.rate);
    const rest = { ...arm };
    delete rest.learning_rate;
    delete rest.weight_decay;
    return rates.length > 1 ? { ...rest, rate: rounded(2 * rates[0]!) } : rest;
  });
  return withBaseline({ ...spec, arms });
}

/** Test rows set, where there were none, begin a fair comparison; taken away, they end it. */
export function setTestRows(spec: StudySpec, rows: number | null): StudySpec {
  const after = { ...spec, test_rows: rows };
  const single = spec.arms.every((arm) => settingsOf(arm) === 1);
  if (rows && !spec.test_rows && single) return tuned(after);
  return !rows && isTuned(spec) ? untuned(after) : after;
}
