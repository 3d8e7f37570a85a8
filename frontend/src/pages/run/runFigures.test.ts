import { expect, test } from "vitest";
import type { RunMetrics } from "../../api/types";
import { gapFigure, lossFigure } from "./runFigures";

const series = (name: string, values: (number | null)[]) => ({ name, values }) as RunMetrics["series"][number];
const metrics = {
  run_id: "run_1",
  steps: [8, 16, 24],
  series: [series("probe/loss", [0.5, null, 0.2]), series("validation/loss", [0.6, 0.7, 0.9])],
  train_loss: { steps: [1, 2], values: [0.8, null] },
} as unknown as RunMetrics;

test("what is not finite is a break in the line, not a point", () => {
  const [train, probe] = lossFigure(metrics, "hiddenkey").data;
  expect(train).toMatchObject({ y: [0.8, null], connectgaps: false });
  expect(probe).toMatchObject({ x: [8, 16, 24], y: [0.5, null, 0.2], connectgaps: false });
});

test("the gap is validation minus probe where both are there", () => {
  const figure = gapFigure(metrics, "hiddenkey");
  const y = figure.data[0]?.y as (number | null)[];
  expect(y[0]).toBeCloseTo(0.1);
  expect(y[1]).toBeNull();
  expect(figure.layout.meta?.alt).toContain("Last evaluation: 0.700");
});
