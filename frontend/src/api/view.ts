/** How a study is looked at, and how a figure of it is asked for; a study, a shared one and a run say it alike. */
import type { UseQueryOptions } from "@tanstack/react-query";
import type { PlotlyFigure } from "./figures";
import { ApiProblem } from "./problem";
import type { Band, Metric, XAxis } from "./types";

export interface View {
  baseline?: string | undefined;
  x: XAxis;
  band: Band;
  metric: Metric;
}

export const PLAIN_VIEW: View = { x: "step", band: "t", metric: "validation/loss" };

/** Asks for a view; by the loss, where the server refuses the metric: the study has not recorded it, or it is none. */
export async function orByLoss<T>(view: View, ask: (view: View) => Promise<T>): Promise<T> {
  try {
    return await ask(view);
  } catch (error) {
    const refused = error instanceof ApiProblem && error.errors.some(({ pointer }) => pointer === "/metric");
    if (!refused || view.metric === PLAIN_VIEW.metric) throw error;
    return ask({ ...view, metric: PLAIN_VIEW.metric });
  }
}

/** What a figure is kept under: whose it is, its name, and how it was asked for. */
export type FigureKey = (string | boolean | View)[];

/** A named figure of whatever is shown: a study, what a share link shows of one, or a run. */
export type FigureOf = (name: string) => UseQueryOptions<PlotlyFigure, Error, PlotlyFigure, FigureKey>;
