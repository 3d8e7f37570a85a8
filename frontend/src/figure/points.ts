/** A chart by the keyboard: arrows go from point to point and from line to line; what is there is shown and read out. */
import type { Plotly, PlotlyElement } from "./plotly";

export interface Place {
  curve: number;
  point: number;
}

/** A line that can be walked along: its number in the figure, and which of its points have a number. */
export interface Walk {
  curve: number;
  points: number[];
}

const ALONG: Record<string, number> = { ArrowRight: 1, ArrowLeft: -1 };
const ACROSS: Record<string, number> = { ArrowDown: 1, ArrowUp: -1 };

/** Where a key leads; undefined for a key that leads nowhere. Another line is entered near the same point. */
export function step(walks: Walk[], at: Place | undefined, key: string): Place | undefined {
  if (walks.length === 0 || !(key in ALONG || key in ACROSS || key === "Home" || key === "End")) return undefined;
  const row = at ? walks.findIndex(({ curve }) => curve === at.curve) : -1;
  if (!at || row < 0) return { curve: walks[0]!.curve, point: walks[0]!.points[0]! };
  const { curve, points } = walks[row]!;
  const place = Math.max(0, points.indexOf(at.point));
  const within = (index: number, length: number) => Math.max(0, Math.min(length - 1, index));
  if (key === "Home") return { curve, point: points[0]! };
  if (key === "End") return { curve, point: points.at(-1)! };
  if (key in ALONG) return { curve, point: points[within(place + ALONG[key]!, points.length)]! };
  const other = walks[within(row + ACROSS[key]!, walks.length)]!;
  return { curve: other.curve, point: other.points[within(place, other.points.length)]! };
}

interface Calculated {
  x?: unknown;
  y?: unknown;
  trace?: { visible?: unknown; hoverinfo?: string; type?: string; xaxis?: string; yaxis?: string };
}
type WithPoints = PlotlyElement & { calcdata?: Calculated[][] };

/** The lines of a drawn chart that say something where one points at them. */
export function walksOf(chart: HTMLElement): Walk[] {
  const number = (value: unknown) => typeof value !== "number" || Number.isFinite(value);
  return ((chart as WithPoints).calcdata ?? []).flatMap((calculated, curve) => {
    const trace = calculated[0]?.trace;
    if (!trace || trace.visible !== true || trace.hoverinfo === "skip" || trace.type !== "scatter") return [];
    const points = calculated.flatMap(({ x, y }, at) =>
      x !== undefined && y !== undefined && number(x) && number(y) ? [at] : [],
    );
    return points.length > 0 ? [{ curve, points }] : [];
  });
}

/** Shows a point as the mouse would; returns what is said there, for who hears it. */
export function show(plotly: Plotly, chart: HTMLElement, { curve, point }: Place): string {
  const trace = (chart as WithPoints).calcdata?.[curve]?.[0]?.trace;
  plotly.Fx.hover(chart, [{ curveNumber: curve, pointNumber: point }], `${trace?.xaxis ?? "x"}${trace?.yaxis ?? "y"}`);
  const words = [...chart.querySelectorAll(".hoverlayer text")].flatMap((text) => {
    const lines = [...text.querySelectorAll("tspan.line")].map((line) => line.textContent ?? "");
    return lines.length > 0 ? lines : [text.textContent ?? ""];
  });
  return words.filter(Boolean).reverse().join(". ");
}
