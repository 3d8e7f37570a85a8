/** Where a new study begins: a template, or a data set and the first model that can learn it, with usual methods. */
import type { DatasetFacts, ModelFacts, StudySpec } from "../../api/types";
import { DEFAULTS, setDataset } from "./draft";

const FIRST_METHODS = ["none", "adapter_dropout", "hiddenkey"];
const FIRST_RATE = 0.1;

export function startingPoint(
  models: ModelFacts[],
  datasets: DatasetFacts[],
  wanted: { template?: StudySpec | undefined; dataset?: string | undefined } = {},
): StudySpec {
  if (wanted.template) return wanted.template;
  const named = datasets.find(({ id }) => id === wanted.dataset);
  const able = named && models.find(({ tasks }) => tasks.includes(named.task));
  const model = able ?? models[0];
  const dataset = named ?? datasets.find((data) => model?.tasks.includes(data.task)) ?? datasets[0];
  const empty: StudySpec = {
    ...DEFAULTS,
    model: model?.id ?? "",
    baseline: "none",
    arms: FIRST_METHODS.map((method) => (method === "none" ? { method } : { method, rate: FIRST_RATE })),
  };
  return dataset ? setDataset(empty, dataset) : empty;
}
