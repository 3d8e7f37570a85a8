/** A chart whose code comes when the first chart is there to be drawn: a page without charts never asks for it. */
import { Skeleton } from "@mantine/core";
import { lazy, Suspense } from "react";
import type { FigureProps } from "./Figure";

const load = () => import("./Figure").then((module) => ({ default: module.Figure }));
const Figure = lazy(load);

/** Fetches the code of charts ahead; the chart that needs it asks again where that failed. */
export function loadFigure(): void {
  load().catch(() => undefined);
}

export function FigureLater(props: FigureProps) {
  return (
    <Suspense fallback={<Skeleton height={(props.height ?? props.figure.layout.height ?? 360) + 30} />}>
      <Figure {...props} />
    </Suspense>
  );
}
