/** Losses above, the gap below on the same x, and the ranking beside them. */
import { Paper } from "@mantine/core";
import type { View } from "../../api/studies";
import classes from "./Charts.module.css";
import { StudyFigure } from "./StudyFigure";

interface ChartsProps {
  studyId: string;
  query: View;
  hidden: ReadonlySet<string>;
}

export function Charts(props: ChartsProps) {
  return (
    <div className={classes.charts}>
      <Paper p="md" className={classes.curves}>
        <StudyFigure {...props} name="losses" title="Probe and validation loss" height={360} hoverGroup="curves" />
        <StudyFigure {...props} name="gap" title="Generalization gap" height={260} hoverGroup="curves" />
      </Paper>
      <Paper p="md" className={classes.ranking}>
        <StudyFigure {...props} name="ranking" title="Ranking by validation loss" height={640} />
      </Paper>
    </div>
  );
}
