/** What each arm is worth against the baseline, its place beside it, and below how the chosen quantity developed. */
import { Group, NativeSelect, Paper, SegmentedControl } from "@mantine/core";
import type { Comparison } from "../../../api/types";
import type { FigureOf } from "../../../api/view";
import { NamedFigure } from "../../../figure/NamedFigure";
import { COLOURS, CURVES, PANELS } from "../search";
import { useView } from "../useView";
import classes from "./Charts.module.css";

interface ChartsProps {
  comparison: Comparison | undefined;
  figureOf: FigureOf;
  hidden: ReadonlySet<string>;
}

const TITLES = { losses: "Probe and validation loss", gap: "Generalization gap" };

export function Charts({ comparison, figureOf, hidden }: ChartsProps) {
  const { search, query, change } = useView();
  const recorded = comparison?.metrics.find(({ name }) => name === query.metric);
  const metric = comparison && !recorded ? comparison.metric : query.metric; // what was not recorded is not drawn
  const quantity = comparison?.metrics.find(({ name }) => name === metric);
  const isLoss = metric.endsWith("/loss");
  const views = CURVES.filter(({ value }) => value !== "asked" || !(isLoss || metric === "gap"));
  const asked = search.curves ?? (metric === "gap" ? "gap" : isLoss ? "losses" : "asked");
  const shown = views.some(({ value }) => value === asked) ? asked : "losses";
  const title = shown === "asked" ? (quantity?.title ?? "Curves") : TITLES[shown];
  const drawn = { figureOf, hidden };
  const rows = 164 + 44 * Math.min(40, comparison?.arms.length ?? 8); // as the server's charts of rows are tall
  return (
    <>
      <div className={classes.charts}>
        <Paper p="md">
          <NamedFigure
            {...drawn}
            name="differences"
            place={rows}
            title="Difference to the baseline"
            reading="Best first. Clear of the line at 0: it differs. Inside the grey band: too small to matter."
          />
        </Paper>
        <Paper p="md" className={classes.ranking}>
          <NamedFigure
            {...drawn}
            name="ranking"
            place={rows}
            title="Ranking"
            reading="Best first. Filled: differs from the baseline after correction. Open: undecided."
          />
        </Paper>
      </div>
      <Paper p="md">
        <Group gap="sm" mb="xs" className="no-print">
          <SegmentedControl
            size="xs"
            aria-label="What the curves show"
            value={shown}
            onChange={(value) => change({ curves: views.find((view) => view.value === value)?.value })}
            data={views.map(({ value, label }) => ({
              value,
              label: value === "asked" ? (quantity?.short_title ?? label) : label,
            }))}
          />
          <NativeSelect
            size="xs"
            aria-label="A panel for each"
            value={search.panel ?? "auto"}
            onChange={({ currentTarget }) =>
              change({ panel: PANELS.find(({ value }) => value === currentTarget.value)?.value })
            }
            data={PANELS}
          />
          <NativeSelect
            size="xs"
            aria-label="Colour by"
            value={search.colour ?? "method"}
            onChange={({ currentTarget }) =>
              change({ colour: COLOURS.find(({ value }) => value === currentTarget.value)?.value })
            }
            data={COLOURS}
          />
        </Group>
        <NamedFigure
          key={shown}
          {...drawn}
          name={shown === "asked" ? "curves" : shown}
          title={title}
          reading={
            shown === "losses"
              ? "Solid: rows it never sees. Dashed: rows it trains on. Ring: where it would be stopped. Thin lines: epochs."
              : shown === "gap"
                ? "How much better the model fits its training rows than new ones."
                : "Ring: where it would be stopped. Thin lines: epochs."
          }
        />
      </Paper>
    </>
  );
}
