/** How a study is looked at, and how a figure of it is asked for; a study, a shared one and a run say it alike. */
import type { UseQueryOptions } from "@tanstack/react-query";
import type { PlotlyFigure } from "./figures";
import type { Band, Metric, XAxis } from "./types";

export interface View {
  baseline?: string | undefined;
  x: XAxis;
  band: Band;
  metric: Metric;
}

export const PLAIN_VIEW: View = { x: "step", band: "t", metric: "validation/loss" };

/** What a figure is kept under: whose it is, its name, and how it was asked for. */
export type FigureKey = (string | boolean | View)[];

/** A named figure of whatever is shown: a study, what a share link shows of one, or a run. */
export type FigureOf = (name: string) => UseQueryOptions<PlotlyFigure, Error, PlotlyFigure, FigureKey>;
