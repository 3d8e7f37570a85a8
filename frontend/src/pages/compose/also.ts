/** Which data sets a study can also be measured on. */
import type { DatasetFacts, StudySpec } from "../../api/types";

interface Choice {
  value: string;
  label: string;
  disabled?: boolean;
}

/** All but the study's own; what cannot be chosen says why. A language model reads any text. */
export function alsoChoices(spec: StudySpec, sets: DatasetFacts[]): Choice[] {
  const own = sets.find(({ id }) => id === spec.dataset);
  return sets
    .filter(({ id }) => id !== spec.dataset)
    .map((set) => {
      const why = unfit(spec, own, set);
      return { value: set.id, label: why ? `${set.title} (${why})` : set.title, ...(why && { disabled: true }) };
    });
}

function unfit(spec: StudySpec, own: DatasetFacts | undefined, set: DatasetFacts): string | undefined {
  if (spec.task === "causal_lm") return undefined;
  if (set.task !== spec.task) return "another task";
  const names = (facts: DatasetFacts) => [...facts.label_names].sort().join("\n");
  return own && names(own) !== names(set) ? "other classes" : undefined;
}
