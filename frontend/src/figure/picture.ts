/** A figure as a picture that leaves its page: with the title, the baseline, n and the legend that stand around it there. */
import type { PlotlyFigure, PlotlyLayout } from "../api/figures";

const WIDTH = 1100;
const AXIS = { automargin: true, gridcolor: "#e3e7ee", zerolinecolor: "#9aa3b3", linecolor: "#9aa3b3", ticks: "" };
/** Pictures are for papers and slides: dark on white, whatever the page's theme. */
const TEMPLATE = {
  data: { scatter: [{ textfont: { color: "#1a202c" } }] },
  layout: {
    paper_bgcolor: "#ffffff",
    plot_bgcolor: "#ffffff",
    font: { family: "system-ui, sans-serif", size: 12, color: "#1a202c" },
    xaxis: AXIS,
    yaxis: AXIS,
  },
};

export function pictureOf({
  data,
  layout,
}: PlotlyFigure): PlotlyFigure & { layout: { width: number; height: number } } {
  const title = layout.title as object | undefined;
  const laid: PlotlyLayout & { width: number; height: number } = {
    ...layout,
    title: { ...title, x: 0.02, xanchor: "left" },
    width: Math.max(WIDTH, layout.meta?.min_width ?? 0),
    height: layout.height ?? 480,
    template: TEMPLATE,
  };
  return { data: data.filter(({ visible }) => visible !== false), layout: laid };
}

/** A file's name that says of which study the chart is. */
export function nameOf(title: string, { layout }: PlotlyFigure): string {
  const study = layout.meta?.study_name;
  const words = typeof study === "string" && study ? `${study} ${title}` : title;
  return words
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "")
    .slice(0, 80);
}
