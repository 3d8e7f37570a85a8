/** What every tab of a study is given. */
import type { Comparison, StudyDetail } from "../../api/types";
import type { FigureOf } from "../../api/view";

export interface TabProps {
  study: StudyDetail;
  comparison: Comparison | undefined;
  figureOf: FigureOf;
  hidden: ReadonlySet<string>;
}
