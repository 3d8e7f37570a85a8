/** Data sets in words. */
import type { DatasetFacts } from "../../api/types";
import { count } from "../../format/numbers";

export const TASKS: Record<DatasetFacts["task"], string> = {
  classification: "classification",
  regression: "regression",
  causal_lm: "text generation",
};

export const KEYS = {
  text: "Text",
  text_pair: "Second text",
  label: "Label",
  prompt: "Prompt",
  completion: "Completion",
  references: "Further right answers",
} as const;

export type Key = keyof typeof KEYS;

export const KEYS_OF: Record<DatasetFacts["task"], { required: Key[]; optional: Key[] }> = {
  classification: { required: ["text", "label"], optional: ["text_pair"] },
  regression: { required: ["text", "label"], optional: ["text_pair"] },
  causal_lm: { required: ["prompt", "completion"], optional: ["references"] },
};

export function inShort(data: DatasetFacts): string {
  const { train = 0, validation = 0 } = data.rows;
  const labels = data.label_names.length > 0 ? ` · ${count(data.label_names.length, "label")}` : "";
  return `${data.id} · ${train.toLocaleString("en")} training and ${validation.toLocaleString("en")} validation rows${labels} · ${data.licence}`;
}
