/** How rows can be read, in words, and how a piece of a row is drawn. */
import type { ModelFacts } from "../../api/types";

export type TemplateName = "" | "model" | "chatml" | "alpaca" | "plain";
export type Loss = "" | "last_assistant" | "all";
export type Truncation = "end" | "oldest_turns" | "drop";

export const TEMPLATES: { value: TemplateName; label: string }[] = [
  { value: "", label: "as the model is used to" },
  { value: "model", label: "the model's chat template" },
  { value: "chatml", label: "ChatML" },
  { value: "alpaca", label: "Alpaca style" },
  { value: "plain", label: "plain lines" },
];

export const LOSSES: { value: Loss; label: string }[] = [
  { value: "", label: "every answer" },
  { value: "last_assistant", label: "the last answer" },
  { value: "all", label: "everything" },
];

export const TRUNCATIONS: { value: Truncation; label: string }[] = [
  { value: "end", label: "are cut at their end" },
  { value: "oldest_turns", label: "lose their oldest turns" },
  { value: "drop", label: "are left out" },
];

/** The model to begin with: one that is made to be talked to, where there is one. */
export function startModel(able: readonly ModelFacts[]): string | undefined {
  return (able.find(({ title }) => /instruct|chat/i.test(title)) ?? able[0])?.id;
}

interface Kinds {
  special?: string;
  trained?: string;
  cut?: string;
}

/** The classes of a piece; what is cut is not shown as learned. */
export function pieceKind(piece: { special: boolean; trained: boolean; cut: boolean }, kinds: Kinds): string {
  return [piece.special && kinds.special, piece.trained && !piece.cut && kinds.trained, piece.cut && kinds.cut]
    .filter(Boolean)
    .join(" ");
}
