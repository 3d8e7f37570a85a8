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
  context: "Under the prompt",
  messages: "Conversation",
} as const;

export type Key = keyof typeof KEYS;

export const KEYS_OF: Record<DatasetFacts["task"], { required: Key[]; optional: Key[] }> = {
  classification: { required: ["text", "label"], optional: ["text_pair"] },
  regression: { required: ["text", "label"], optional: ["text_pair"] },
  causal_lm: { required: ["prompt", "completion"], optional: ["context", "references"] },
};

/** What a row of text generation is: a conversation, a prompt with its completion, or a text all of which is learned. */
export const SHAPES = {
  messages: "conversations",
  prompt: "prompt and completion",
  text: "whole texts",
} as const;

export type Shape = keyof typeof SHAPES;

const KEYS_OF_SHAPE: Record<Shape, { required: Key[]; optional: Key[] }> = {
  messages: { required: ["messages"], optional: [] },
  prompt: KEYS_OF.causal_lm,
  text: { required: ["text"], optional: [] },
};

/** The columns to be named for rows like these. */
export function keysOf(task: DatasetFacts["task"], shape: Shape): { required: Key[]; optional: Key[] } {
  return task === "causal_lm" ? KEYS_OF_SHAPE[shape] : KEYS_OF[task];
}

/** The shape that a mapping's columns say. */
export function shapeOf(mapping: { messages?: string | null; text?: string | null }): Shape {
  if (mapping.messages) return "messages";
  return mapping.text ? "text" : "prompt";
}

export function inShort(data: DatasetFacts): string {
  const { train = 0, validation = 0 } = data.rows;
  const labels = data.label_names.length > 0 ? ` · ${count(data.label_names.length, "label")}` : "";
  return `${data.id} · ${train.toLocaleString("en")} training and ${validation.toLocaleString("en")} validation rows${labels} · ${data.licence}`;
}
