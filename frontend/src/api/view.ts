/** How a study is looked at, and how a figure of it is asked for; a study, a shared one and a run say it alike. */
import type { UseQueryOptions } from "@tanstack/react-query";
import type { PlotlyFigure } from "./figures";
import { ApiProblem } from "./problem";
import type { Band, Clock, Metric, XAxis } from "./types";

export interface View {
  baseline?: string | undefined;
  x: XAxis;
  band: Band;
  metric: Metric;
  clock: Clock;
}

export const PLAIN_VIEW: View = { x: "step", band: "t", metric: "validation/loss", clock: "last" };

export type PanelBy = "auto" | "method" | "rank" | "rate" | "arm";
export type ColourBy = "method" | "rank" | "rate";

/** How curves are drawn: on which axis, what shares a panel, and what colours tell. */
export interface Look {
  log_y: boolean;
  panel: PanelBy;
  colour: ColourBy;
}

export const PLAIN_LOOK: Look = { log_y: false, panel: "auto", colour: "method" };

const REFUSABLE = ["metric", "clock"] as const;

/** Asks for a view; by the loss, or at the last step, where the server refuses the metric or the clock: the study has not recorded it. */
export async function orPlainly<T>(view: View, ask: (view: View) => Promise<T>): Promise<T> {
  try {
    return await ask(view);
  } catch (error) {
    const errors = error instanceof ApiProblem ? error.errors : [];
    const part = REFUSABLE.find(
      (name) => errors.some(({ pointer }) => pointer === `/${name}`) && view[name] !== PLAIN_VIEW[name],
    );
    if (!part) throw error;
    return orPlainly({ ...view, [part]: PLAIN_VIEW[part] }, ask);
  }
}

/** What a figure is kept under: whose it is, its name, and how it was asked for. */
export type FigureKey = (string | View | Look)[];

/** A named figure of whatever is shown: a study, what a share link shows of one, or a run. */
export type FigureOf = (name: string) => UseQueryOptions<PlotlyFigure, Error, PlotlyFigure, FigureKey>;
