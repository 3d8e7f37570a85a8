/** A single run's measurements as figures: what was measured, nothing smoothed, a break where a number is not finite. */
import type { RunMetrics } from "../../api/types";
import { colourOf } from "../../figure/colours";
import type { PlotlyFigure, PlotlyTrace } from "../../figure/plotly";
import { decimals } from "../../format/numbers";

const X_AXIS = { title: { text: "Optimizer step" }, rangemode: "tozero" };
const MARGIN = { l: 60, r: 16, t: 8, b: 44 };
const LEGEND = { orientation: "h", y: -0.2, yanchor: "top" };

type Values = (number | null)[];

function values(metrics: RunMetrics, name: string): Values {
  return metrics.series.find((series) => series.name === name)?.values ?? [];
}

function line(name: string, x: number[], y: Values, style: object, mode = "lines+markers"): PlotlyTrace {
  return {
    type: "scatter",
    mode,
    name,
    x,
    y,
    connectgaps: false,
    hovertemplate: `${name}: %{y:.4f}<extra></extra>`,
    ...style,
  };
}

export function lossFigure(metrics: RunMetrics, method: string): PlotlyFigure {
  const colour = colourOf(method);
  const probe = values(metrics, "probe/loss");
  const validation = values(metrics, "validation/loss");
  const { steps, train_loss: train } = metrics;
  return {
    data: [
      line(
        "Training loss, dropout on",
        train.steps,
        train.values,
        { line: { color: "#9aa3b3", width: 1 }, opacity: 0.6 },
        "lines",
      ),
      line("Probe loss", steps, probe, { line: { color: colour, width: 1.6 } }),
      line("Validation loss", steps, validation, { line: { color: colour, width: 2.4, dash: "dash" } }),
    ],
    layout: {
      margin: MARGIN,
      legend: LEGEND,
      hovermode: "x unified",
      uirevision: metrics.run_id,
      xaxis: X_AXIS,
      yaxis: { title: { text: "Loss" } },
      meta: { alt: `Losses of this run. Last evaluation: probe ${last(probe)}, validation ${last(validation)}.` },
    },
  };
}

export function gapFigure(metrics: RunMetrics, method: string): PlotlyFigure {
  const probe = values(metrics, "probe/loss");
  const gap = values(metrics, "validation/loss").map((validation, at) => {
    const trained = probe[at] ?? null;
    return validation === null || trained === null ? null : validation - trained;
  });
  return {
    data: [line("Gap", metrics.steps, gap, { line: { color: colourOf(method), width: 2 } })],
    layout: {
      margin: MARGIN,
      showlegend: false,
      hovermode: "x unified",
      uirevision: metrics.run_id,
      xaxis: X_AXIS,
      yaxis: { title: { text: "Validation − probe" } },
      meta: { alt: `Generalization gap of this run. Last evaluation: ${last(gap)}.` },
    },
  };
}

function last(series: Values): string {
  return decimals(series.at(-1));
}
