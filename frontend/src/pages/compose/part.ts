/** What every part of the form works with. */
import type { ErrorItem, StudySpec } from "../../api/types";

export interface PartProps {
  draft: StudySpec;
  onChange: (draft: StudySpec) => void;
  problems: ErrorItem[];
  /** What would be trained all the same and should be known first. */
  warnings: ErrorItem[];
}
