/** What stands in the way of a draft, found by JSON pointer. */
import { ApiProblem } from "../../api/problem";
import type { ErrorItem, StudyPreview } from "../../api/types";

/** Problems of the preview itself, or of its refusal. */
export function problemsOf(preview: StudyPreview | undefined, error: unknown): ErrorItem[] {
  if (error instanceof ApiProblem)
    return error.errors.length > 0 ? error.errors : [{ pointer: "", detail: error.message }];
  return preview?.problems ?? [];
}

/** The sentence for the field at `pointer`, or for anything below it. */
export function problemAt(problems: ErrorItem[], pointer: string): string | undefined {
  return sentencesAt(problems, pointer)[0];
}

/** Every sentence for the field at `pointer` or anything below it, each once. */
export function sentencesAt(found: ErrorItem[], pointer: string): string[] {
  const here = found.filter((one) => one.pointer === pointer || one.pointer.startsWith(`${pointer}/`));
  return [...new Set(here.map((one) => one.detail))];
}

/** Fields whose own sentence stands beside them. */
const FIELDS: Record<string, string> = {
  "/name": "Name",
  "/model": "Model",
  "/dataset": "Data set",
  "/task": "Data set",
  "/start_from": "Start from",
  "/seeds": "Seeds",
};

/** What keeps a study from starting, for a place where the field's own sentence need not be said again. */
export function inShort(problem: ErrorItem | undefined): string | undefined {
  const field = problem && FIELDS[problem.pointer];
  return field ? `Something is to be changed first: ${field}` : problem?.detail;
}
