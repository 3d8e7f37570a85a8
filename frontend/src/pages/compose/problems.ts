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
  return problems.find((problem) => problem.pointer === pointer || problem.pointer.startsWith(`${pointer}/`))?.detail;
}
