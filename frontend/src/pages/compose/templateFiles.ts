/** The files of docs/studies, as the page fetches them when a template is asked for. */
import type { StudySpec } from "../../api/types";
import { completed } from "./draft";

const FILES = import.meta.glob<Partial<StudySpec>>("../../../../docs/studies/*.yaml", {
  eager: true,
  import: "default",
});

export function study(id: string): StudySpec | undefined {
  const file = FILES[`../../../../docs/studies/${id}.yaml`];
  return file && completed(file);
}
