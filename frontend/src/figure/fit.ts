/** A figure fitted to where it is drawn: rows of hidden arms closed, panels in as many columns as there is room for. */
import type { PlotlyFigure, PlotlyLayout, PlotlyTrace } from "../api/figures";

/** Below this width names stand inside the chart, as `meta.narrow` says. */
export const NARROW = 560;
const PANEL_WIDTH = 270;
const MOST_COLUMNS = 4;

export interface Room {
  narrow: boolean;
  columns: number;
}

export function roomOf(width: number): Room {
  const columns = Math.max(1, Math.min(MOST_COLUMNS, Math.floor(width / PANEL_WIDTH)));
  return { narrow: width > 0 && width < NARROW, columns };
}

type Axis = Record<string, unknown> & { ticktext?: string[]; title?: { text?: string } };
type Placed = Record<string, unknown> & { y?: number };

export function fit(figure: PlotlyFigure, { narrow, columns }: Room, hidden: ReadonlySet<string>): PlotlyFigure {
  const data = figure.data.map((trace) =>
    hidden.has(trace.meta?.arm ?? "") ? { ...trace, visible: false as const } : trace,
  );
  const fitted = { data, layout: narrow ? narrowed(figure.layout) : figure.layout };
  const { rows, panels } = figure.layout.meta ?? {};
  if (rows && rows.some((arm) => hidden.has(arm))) return closeRows(fitted, rows, hidden);
  if (panels) return layPanels(fitted, columns, hidden);
  return fitted;
}

function narrowed(layout: PlotlyLayout): PlotlyLayout {
  const { yaxis, ...others } = (layout.meta?.narrow ?? {}) as PlotlyLayout;
  return { ...layout, ...others, yaxis: { ...(layout.yaxis as object), ...(yaxis as object) } };
}

/** Rows are whole numbers from 0 on, marks lie within half a row of theirs; hidden arms leave no empty row. */
function closeRows({ data, layout }: PlotlyFigure, rows: string[], hidden: ReadonlySet<string>): PlotlyFigure {
  const kept = rows.flatMap((arm, row) => (hidden.has(arm) ? [] : [row]));
  const place = new Map(kept.map((row, at) => [row, at]));
  const moved = (y: number) => {
    const row = Math.round(y);
    const at = place.get(row);
    return at === undefined ? undefined : at + (y - row);
  };
  const move = (trace: PlotlyTrace): PlotlyTrace => {
    if (!Array.isArray(trace.y) || trace.visible === false) return trace;
    const y = trace.y.map((value) => (typeof value === "number" ? (moved(value) ?? null) : null));
    return { ...trace, y };
  };
  const axis = layout.yaxis as Axis;
  const notes = layout.annotations as Placed[] | undefined;
  const shapes = layout.shapes as Record<string, unknown>[] | undefined;
  return {
    data: data.map(move),
    layout: {
      ...layout,
      yaxis: {
        ...axis,
        tickvals: kept.map((_, at) => at),
        ticktext: kept.map((row) => axis.ticktext?.[row] ?? ""),
        range: [kept.length - 0.5, -0.5],
      },
      // A row's name on a narrow page stands at the row's upper edge.
      ...(notes && { annotations: kept.map((row, at) => ({ ...notes[row], y: at - 0.5 })) }),
      ...(shapes && {
        shapes: shapes.filter(({ yref, y0 }) => yref === "paper" || Number(y0) < kept.length - 0.9),
      }),
      ...heightLess(layout, rows.length, rows.length - kept.length),
    },
  };
}

function heightLess(layout: PlotlyLayout, rows: number, fewer: number): { height?: number } {
  if (!layout.height) return {};
  const { t = 0, b = 0 } = (layout.margin ?? {}) as { t?: number; b?: number };
  const each = (layout.height - t - b) / rows;
  return { height: Math.round(layout.height - fewer * each) };
}

/** Panels stand in rows; those of which every arm is hidden are gone. The same measures as the server's own layout. */
function layPanels({ data, layout }: PlotlyFigure, columns: number, hidden: ReadonlySet<string>): PlotlyFigure {
  const { panels = [], panel_px = 180, gap_px = 60, side = 0.045 } = layout.meta ?? {};
  const shown = panels.filter(({ arms }) => arms.some((arm) => !hidden.has(arm)));
  if (shown.length === 0) return { data, layout };
  const across = Math.max(1, Math.min(columns, shown.length));
  const down = Math.ceil(shown.length / across);
  const total = down * panel_px + (down - 1) * gap_px;
  const width = (1 - side * (across - 1)) / across;
  const gone = new Set(panels.filter((panel) => !shown.includes(panel)).map(({ axis }) => axis));
  const at = new Map(shown.map(({ axis }, index) => [axis, index]));
  const changed: PlotlyLayout = {};
  // Words of the axes stand at the outer panels of the server's own layout; any panel may come to stand there.
  const titles = { x: "", y: "" };
  for (const { axis } of panels) {
    titles.x ||= titleOf(layout, `xaxis${axis}`);
    titles.y ||= titleOf(layout, `yaxis${axis}`);
  }
  for (const { axis } of panels) {
    const index = at.get(axis);
    if (index === undefined) {
      for (const letter of ["x", "y"])
        changed[`${letter}axis${axis}`] = { ...(layout[`${letter}axis${axis}`] as object), visible: false };
      continue;
    }
    const column = index % across;
    const left = column * (width + side);
    const top = 1 - (Math.floor(index / across) * (panel_px + gap_px)) / total;
    const last = index + across >= shown.length;
    changed[`xaxis${axis}`] = {
      ...(layout[`xaxis${axis}`] as object),
      domain: [left, Math.min(1, left + width)],
      showticklabels: last,
      title: { text: last ? titles.x : "" },
    };
    changed[`yaxis${axis}`] = {
      ...(layout[`yaxis${axis}`] as object),
      domain: [Math.max(0, top - panel_px / total), top],
      showticklabels: column === 0,
      title: { text: column === 0 ? titles.y : "" },
    };
  }
  const axisOf = (ref: unknown) => String(ref).replace(/^[xy]| domain$/g, "");
  const stays = ({ xref }: Record<string, unknown>) => !gone.has(axisOf(xref));
  const { t = 0, b = 0 } = (layout.margin ?? {}) as { t?: number; b?: number };
  return {
    data: data.map((trace) => (gone.has(axisOf(trace.xaxis)) && trace.xaxis ? { ...trace, visible: false } : trace)),
    layout: {
      ...layout,
      ...changed,
      annotations: ((layout.annotations ?? []) as Record<string, unknown>[]).filter(stays),
      shapes: ((layout.shapes ?? []) as Record<string, unknown>[]).filter(stays),
      height: total + t + b,
    },
  };
}

function titleOf(layout: PlotlyLayout, name: string): string {
  return (layout[name] as Axis | undefined)?.title?.text ?? "";
}
