/** Ready-made studies: the files of docs/studies, so that the command line runs the very same ones. */
import type { StudySpec } from "../../api/types";
import { completed } from "./draft";

const FILES = import.meta.glob<Partial<StudySpec>>("../../../../docs/studies/*.yaml", {
  eager: true,
  import: "default",
});

export const TEMPLATES: Record<string, StudySpec> = Object.fromEntries(
  Object.entries(FILES).map(([path, spec]) => [path.replace(/^.*\/(.+)\.yaml$/, "$1"), completed(spec)]),
);
