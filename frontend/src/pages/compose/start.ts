/** Where a new study begins: a template, or the first model and data set with the methods most people ask about. */
import type { DatasetFacts, ModelFacts, StudySpec } from "../../api/types";
import { DEFAULTS, setDataset } from "./draft";
import { template } from "./templates";

const FIRST_METHODS = ["none", "adapter_dropout", "hiddenkey"];
const FIRST_RATE = 0.1;

export function startingPoint(models: ModelFacts[], datasets: DatasetFacts[], wanted?: string): StudySpec {
  const chosen = wanted ? template(wanted) : undefined;
  if (chosen) return chosen;
  const model = models[0];
  const dataset = datasets.find((data) => model?.tasks.includes(data.task)) ?? datasets[0];
  const empty: StudySpec = {
    ...DEFAULTS,
    model: model?.id ?? "",
    baseline: "none",
    arms: FIRST_METHODS.map((method) => (method === "none" ? { method } : { method, rate: FIRST_RATE })),
  };
  return dataset ? setDataset(empty, dataset) : empty;
}
