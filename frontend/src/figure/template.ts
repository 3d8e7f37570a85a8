/** Plotly's theme template, read from the page's own colours so that charts follow light and dark. */
import type { PlotlyTrace } from "../api/figures";

export function chartTemplate(element: HTMLElement): object {
  const style = getComputedStyle(element);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis = {
    gridcolor: token("--chart-grid"),
    zerolinecolor: token("--chart-zero"),
    linecolor: token("--line-strong"),
    tickcolor: token("--line-strong"),
    automargin: true,
    ticks: "",
    ticklabelstandoff: 4,
    title: { font: { size: 12 }, standoff: 8 },
  };
  return {
    data: { scatter: [{ textfont: { color: token("--mantine-color-text") } }] },
    layout: {
      paper_bgcolor: "rgba(0,0,0,0)",
      plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: token("--mantine-font-family"), size: 12, color: token("--chart-text") },
      hoverlabel: {
        bgcolor: token("--surface"),
        bordercolor: token("--line-strong"),
        font: { family: token("--mantine-font-family"), size: 12, color: token("--mantine-color-text") },
      },
      legend: { bgcolor: "rgba(0,0,0,0)" },
      xaxis: axis,
      yaxis: axis,
    },
  };
}

/** The traces with what is meant to recede written in the theme's grey: no one grey reads on both white and black. */
export function themed(element: HTMLElement, data: PlotlyTrace[]): PlotlyTrace[] {
  const grey = getComputedStyle(element).getPropertyValue("--mantine-color-dimmed").trim();
  return data.map((trace) =>
    trace.meta?.muted ? { ...trace, textfont: { ...(trace.textfont as object), color: grey } } : trace,
  );
}
