/** What the form asks for, as the API takes it. */
import type { SplitPlan, UploadPreview } from "../../api/types";
import { KEYS_OF, type Key, type Shape } from "./words";

/** What the person said so far; the server fills in the rest. */
export type Plan = Partial<Omit<UploadPreview, "split">> & { split?: Partial<SplitPlan> };
export type Task = NonNullable<Plan["task"]>;
export type SplitBy = "ratio" | "group" | "column" | "file";

/** Another task keeps the columns that still mean something. */
export function setTask(plan: Plan, task: Task): Plan {
  const { required, optional } = KEYS_OF[task];
  const mapping = Object.fromEntries(
    Object.entries(plan.mapping ?? {}).filter(([key]) => [...required, ...optional].includes(key as Key)),
  );
  return { ...plan, task, mapping };
}

export function setColumn(plan: Plan, key: Key, column: string | null): Plan {
  return { ...plan, mapping: { ...plan.mapping, [key]: column } };
}

/** Rows of another shape; its column is the one that is named so, else the first one, to be changed by the person. */
export function setShape(plan: Plan, shape: Shape, columns: readonly string[]): Plan {
  const called = (...names: string[]) => columns.find((column) => names.includes(column.trim().toLowerCase()));
  const [first] = columns;
  if (shape === "messages")
    return { ...plan, mapping: { messages: called("messages", "conversations", "chosen") ?? first } };
  if (shape === "text") return { ...plan, mapping: { text: called("text", "content") ?? first } };
  const prompt = called("prompt", "question", "instruction", "input") ?? first;
  return { ...plan, mapping: { prompt } };
}

/** Another way to split; a column is chosen by the person, so that none is shown until then. */
export function setSplitBy(plan: Plan, by: Exclude<SplitBy, "file">, column: string | null): Plan {
  const { ratio = 0.2, seed = 0 } = plan.split ?? {};
  if (by === "ratio" || column === null) return { ...plan, split: { by: "ratio", ratio, seed } };
  return { ...plan, split: { by, column, ratio, seed } };
}

/** A short id from a file's name, as the server makes it. */
export function idFrom(name: string): string {
  const stem = name.replace(/\.[^.]*$/, "").toLowerCase();
  return stem.replace(/[^a-z0-9]+/g, "-").replace(/^-+|-+$/g, "");
}
