/** Losses above, the gap below on the same x, and the ranking beside them. */
import { Paper } from "@mantine/core";
import type { FigureOf } from "../../../api/view";
import { useMediaQuery } from "@mantine/hooks";
import classes from "./Charts.module.css";
import { NamedFigure } from "../../../figure/NamedFigure";

interface ChartsProps {
  figureOf: FigureOf;
  hidden: ReadonlySet<string>;
}

export function Charts(props: ChartsProps) {
  const narrow = useMediaQuery("(max-width: 62em)");
  return (
    <div className={classes.charts}>
      <Paper p="md" className={classes.curves}>
        <NamedFigure
          {...props}
          name="losses"
          title="Probe and validation loss"
          reading="Solid: rows it trains on. Dashed: rows it never sees. Rings: where overfitting sets in."
          height={350}
          hoverGroup="curves"
          legend={narrow}
        />
        <NamedFigure
          {...props}
          name="gap"
          title="Generalization gap"
          reading="How much better the model fits its training rows than new ones; harmful where the dashed line rises."
          height={250}
          hoverGroup="curves"
          legend={false}
        />
      </Paper>
      <Paper p="md" className={classes.ranking}>
        <NamedFigure
          {...props}
          name="ranking"
          title="Ranking"
          reading="Best first. Filled: differs from the baseline after correction. Open: undecided."
          height={648}
          grows
        />
      </Paper>
    </div>
  );
}
