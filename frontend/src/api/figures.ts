/** What the server draws: a figure as Plotly's JSON. Who draws it on the page stands in `figure/`. */

export interface PlotlyFigure {
  data: PlotlyTrace[];
  layout: PlotlyLayout;
}

/** One trace as the server sends it; `meta.arm` names the arm it belongs to, `meta.muted` text that recedes, arrays may be `{dtype, bdata}`. */
export interface PlotlyTrace {
  type?: string;
  name?: string;
  visible?: boolean | "legendonly";
  meta?: { arm?: string; muted?: boolean } & Record<string, unknown>;
  [key: string]: unknown;
}

export interface PlotlyLayout {
  /**
   * `alt` is the text alternative: the chart's key numbers in a sentence; narrower than `min_width` it cannot be read.
   * `rows`: the arm of each row; `panels`: the axis and the arms of each; `narrow`: what is different on a narrow page.
   */
  meta?: {
    title?: string;
    alt?: string;
    arms_left_out?: number;
    min_width?: number | null;
    rows?: string[];
    panels?: { axis: string; arms: string[] }[];
    panel_px?: number;
    gap_px?: number;
    side?: number;
    narrow?: PlotlyLayout;
  } & Record<string, unknown>;
  height?: number;
  [key: string]: unknown;
}
