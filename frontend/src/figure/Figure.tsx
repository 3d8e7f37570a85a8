/** One chart: the server's figure fitted to its place, themed, with kept zoom, keys, shared hover and a text alternative. */
import { Box, Group, Text, VisuallyHidden, useComputedColorScheme } from "@mantine/core";
import { useEffect, useLayoutEffect, useMemo, useRef, useState, type KeyboardEvent } from "react";
import type { PlotlyFigure, PlotlyLayout } from "../api/figures";
import { count } from "../format/numbers";
import { drawNever, drawSoon } from "./draw";
import { ExportMenu } from "./ExportMenu";
import { fit, roomOf } from "./fit";
import { light, onLit } from "./highlight";
import { joinHoverGroup, shareHover } from "./hover";
import { loadPlotly, type Plotly, type PlotlyElement, type PlotlyPoint } from "./plotly";
import { show, step, walksOf, type Place } from "./points";
import classes from "./Figure.module.css";
import { chartTemplate, themed } from "./template";

const NONE: ReadonlySet<string> = new Set();
const CONFIG = { displayModeBar: false, responsive: false, displaylogo: false, doubleClick: "reset" };

export interface FigureProps {
  figure: PlotlyFigure;
  title: string;
  /** How to read it, in a sentence below the title. */
  reading?: string;
  /** Pixels, at least; the figure's own height where unset. */
  height?: number;
  /** Take the figure's own height where that is more: charts with a row per arm. */
  grows?: boolean;
  /** Arms whose traces are not drawn. */
  hidden?: ReadonlySet<string>;
  /** Figures of the same group share the hovered x. */
  hoverGroup?: string;
  /** The arms' rail usually stands for the legend. */
  legend?: boolean;
  onPoint?: (point: PlotlyPoint) => void;
}

export function Figure({
  figure,
  title,
  reading,
  height: asked,
  grows,
  hidden,
  hoverGroup,
  legend,
  onPoint,
}: FigureProps) {
  const box = useRef<HTMLDivElement>(null);
  const width = useRef<number>(undefined);
  const [plotly, setPlotly] = useState<Plotly>();
  const [failed, setFailed] = useState(false);
  const [room, setRoom] = useState(() => roomOf(0));
  const [said, setSaid] = useState("");
  const place = useRef<Place>(undefined);
  const fitted = useMemo(() => fit(figure, room, hidden ?? NONE), [figure, room, hidden]);
  const { data, layout } = fitted;
  const own = layout.height ?? 360;
  const height = asked === undefined ? own : grows ? Math.max(asked, own) : asked;
  const leastWidth = figure.layout.meta?.min_width ?? 0;
  const leftOut = figure.layout.meta?.arms_left_out ?? 0;
  const scheme = useComputedColorScheme("light");

  useLayoutEffect(() => {
    const found = roomOf(box.current?.offsetWidth ?? 0);
    setRoom((old) => (old.narrow === found.narrow && old.columns === found.columns ? old : found));
  }, []);

  useEffect(() => {
    let wanted = true;
    loadPlotly().then(
      (loaded) => wanted && setPlotly(() => loaded),
      () => wanted && setFailed(true),
    );
    return () => {
      wanted = false;
    };
  }, []);

  useEffect(() => {
    const element = box.current;
    if (!plotly || !element) return;
    drawSoon(element, () => {
      const laid = onPage(layout, height, legend, chartTemplate(element));
      width.current = element.offsetWidth;
      void plotly.react(element, themed(element, data), laid, CONFIG).then((drawn) => {
        listen(plotly, drawn, hoverGroup, onPoint);
      });
    });
  }, [plotly, data, layout, height, legend, scheme, hoverGroup, onPoint]);

  useEffect(() => {
    const element = box.current;
    if (!plotly || !element) return;
    const leave = hoverGroup ? joinHoverGroup(hoverGroup, element) : undefined;
    const observer = new ResizeObserver(() => {
      // Not before the first drawing, and not for the height, which is set with the figure.
      const now = element.offsetWidth;
      if (now === 0 || width.current === undefined || now === width.current) return;
      width.current = now;
      const found = roomOf(now);
      setRoom((old) => (old.narrow === found.narrow && old.columns === found.columns ? old : found));
      void plotly.Plots.resize(element);
    });
    observer.observe(element);
    const dark = onLit((arm) => light(element, arm));
    return () => {
      dark();
      leave?.();
      drawNever(element);
      observer.disconnect();
      plotly.purge(element);
    };
  }, [plotly, hoverGroup]);

  const walk = (event: KeyboardEvent) => {
    const element = box.current;
    if (!plotly || !element || event.ctrlKey || event.metaKey || event.altKey) return;
    const next = step(walksOf(element), place.current, event.key);
    if (!next) return;
    event.preventDefault();
    place.current = next;
    setSaid(show(plotly, element, next));
  };
  const leave = () => {
    place.current = undefined;
    if (plotly && box.current && said) plotly.Fx.unhover(box.current);
    setSaid("");
  };

  return (
    <Box component="figure" m={0} aria-label={title}>
      <Group justify="space-between" align="start" wrap="nowrap" mb={2}>
        <div>
          <Text component="h2" fw={600} size="sm">
            {title}
          </Text>
          {reading && (
            <Text size="xs" c="dimmed">
              {reading}
            </Text>
          )}
        </div>
        <ExportMenu title={title} figure={fitted} whole={figure} plotly={plotly} />
      </Group>
      <div
        role="group"
        tabIndex={0}
        aria-label={`${title}: arrow keys read it point by point${leastWidth > 0 ? ", scrolls sideways" : ""}`}
        className={leastWidth > 0 ? classes.sideways : classes.chart}
        onKeyDown={walk}
        onBlur={leave}
      >
        <div ref={box} style={{ height, minWidth: leastWidth }} aria-hidden="true" />
      </div>
      <VisuallyHidden role="status">{said}</VisuallyHidden>
      {failed && (
        <Text size="sm" role="alert">
          The chart could not be loaded; reload the page to try again.
        </Text>
      )}
      {leftOut > 0 && (
        <Text size="xs" c="dimmed">
          Not drawn: {count(leftOut, "arm")} more than this chart can hold. The table of results has them all.
        </Text>
      )}
      <VisuallyHidden component="figcaption">{figure.layout.meta?.alt ?? title}</VisuallyHidden>
    </Box>
  );
}

/** The server's layout without its title, which stands above the chart as a heading. Long axis titles break at a colon. */
function onPage(layout: PlotlyLayout, height: number, legend: boolean | undefined, template: object): PlotlyLayout {
  const x = layout.xaxis as { title?: { text?: string } } | undefined;
  const text = x?.title?.text?.replace(": ", "<br>");
  return {
    ...layout,
    ...(text && { xaxis: { ...x, title: { ...x?.title, text } } }),
    ...(legend !== undefined && { showlegend: legend }),
    title: undefined,
    margin: { ...(layout.margin as object), t: Number(layout.meta?.head ?? 10) },
    height,
    autosize: true,
    template,
  };
}

function listen(plotly: Plotly, drawn: PlotlyElement, group?: string, onPoint?: (point: PlotlyPoint) => void): void {
  for (const event of ["plotly_hover", "plotly_unhover", "plotly_click"]) drawn.removeAllListeners(event);
  if (group) {
    drawn.on("plotly_hover", ({ xvals, points }) =>
      shareHover(plotly, group, drawn, xvals?.[0] ?? Number(points[0]?.x)),
    );
    drawn.on("plotly_unhover", () => shareHover(plotly, group, drawn, undefined));
  }
  if (onPoint) drawn.on("plotly_click", ({ points }) => points[0] && onPoint(points[0]));
}
