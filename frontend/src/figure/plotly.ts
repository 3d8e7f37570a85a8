/** Plotly's cartesian bundle, loaded once and only when the first figure is drawn, with types for the calls used here. */
import type { PlotlyFigure, PlotlyLayout, PlotlyTrace } from "../api/figures";

/** The element Plotly draws into, with the two event calls it adds to it. */
export interface PlotlyElement extends HTMLDivElement {
  on(event: "plotly_hover", handler: (data: { points: PlotlyPoint[]; xvals?: number[] }) => void): void;
  on(event: "plotly_unhover", handler: () => void): void;
  on(event: "plotly_click", handler: (data: { points: PlotlyPoint[] }) => void): void;
  removeAllListeners(event: string): void;
}

export interface PlotlyPoint {
  x: number | string;
  y: number | string;
  customdata?: unknown;
  data: PlotlyTrace;
}

export interface Plotly {
  react(element: HTMLElement, data: PlotlyTrace[], layout: PlotlyLayout, config: object): Promise<PlotlyElement>;
  purge(element: HTMLElement): void;
  downloadImage(
    figure: PlotlyFigure,
    options: { format: "png" | "svg"; filename: string; scale: number; width: number; height: number },
  ): Promise<string>;
  Plots: { resize(element: HTMLElement): Promise<void> };
  Fx: {
    hover(
      element: HTMLElement,
      event: { xval: number } | { curveNumber: number; pointNumber: number }[],
      subplot: string,
      noHoverEvent?: boolean,
    ): void;
    unhover(element: HTMLElement): void;
  };
}

let loading: Promise<Plotly> | undefined;

/** The library; where it could not be fetched, the next figure asks for it again. */
export function loadPlotly(): Promise<Plotly> {
  loading ??= import("plotly.js-cartesian-dist-min").then(
    (module) => module.default as unknown as Plotly,
    (error: unknown) => {
      loading = undefined;
      throw error;
    },
  );
  return loading;
}
