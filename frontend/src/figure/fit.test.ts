import { expect, test } from "vitest";
import type { PlotlyFigure } from "../api/figures";
import { fit, roomOf } from "./fit";

const WIDE = { narrow: false, columns: 2 };
const rows: PlotlyFigure = {
  data: ["a", "b", "c"].map((arm, row) => ({ y: [row - 0.16, row + 0.16], meta: { arm } })),
  layout: {
    meta: { rows: ["a", "b", "c"], narrow: { yaxis: { showticklabels: false }, height: 300 } },
    yaxis: { ticktext: ["A", "B", "C"], range: [2.5, -0.5] },
    shapes: [{ yref: "paper", y0: 0 }, { y0: 0.5 }, { y0: 1.5 }],
    margin: { t: 20, b: 20 },
    height: 160,
  },
};

test("hidden arms leave no empty row", () => {
  const { data, layout } = fit(rows, WIDE, new Set(["b"]));
  expect(data[1]?.visible).toBe(false);
  expect(data[2]?.y).toEqual([1 - 0.16, 1 + 0.16].map((value) => expect.closeTo(value) as number));
  expect(layout.yaxis).toMatchObject({ ticktext: ["A", "C"], range: [1.5, -0.5] });
  expect(layout.shapes).toEqual([{ yref: "paper", y0: 0 }, { y0: 0.5 }]);
  expect(layout.height).toBe(120);
});

test("a narrow page takes the server's narrow form, a wide one its own", () => {
  expect(fit(rows, { narrow: true, columns: 1 }, new Set()).layout).toMatchObject({
    height: 300,
    yaxis: { showticklabels: false, ticktext: ["A", "B", "C"] },
  });
  expect(fit(rows, WIDE, new Set()).layout.height).toBe(160);
});

const panels: PlotlyFigure = {
  data: ["", "2", "3"].flatMap((axis, at) => [
    { xaxis: `x${axis}`, meta: { arm: "base" } },
    { xaxis: `x${axis}`, meta: { arm: `arm${at}` } },
  ]),
  layout: {
    meta: {
      panels: ["", "2", "3"].map((axis, at) => ({ axis, arms: [`arm${at}`] })),
      panel_px: 100,
      gap_px: 50,
      side: 0.1,
    },
    ...Object.fromEntries(["", "2", "3"].map((axis) => [`xaxis${axis}`, { title: { text: "Step" } }])),
    ...Object.fromEntries(["", "2", "3"].map((axis) => [`yaxis${axis}`, { title: { text: axis ? "" : "Loss" } }])),
    annotations: ["", "2", "3"].map((axis) => ({ xref: `x${axis} domain` })),
    margin: { t: 10, b: 10 },
  },
};

test("panels stand in as many columns as fit; words at the outer ones", () => {
  const { layout } = fit(panels, WIDE, new Set());
  expect(layout.height).toBe(250 + 20);
  expect(layout.xaxis).toMatchObject({ domain: [0, 0.45], showticklabels: false });
  expect(layout.xaxis2).toMatchObject({ domain: [0.55, 1], showticklabels: true, title: { text: "Step" } });
  expect(layout.yaxis2).toMatchObject({ domain: [0.6, 1], title: { text: "" } });
  expect(layout.yaxis3).toMatchObject({ domain: [0, 0.4], title: { text: "Loss" } });
  expect(fit(panels, { narrow: true, columns: 1 }, new Set()).layout.height).toBe(400 + 20);
});

test("a panel without a visible arm is gone, the baseline's line in it too", () => {
  const { data, layout } = fit(panels, WIDE, new Set(["arm0"]));
  expect(data.filter(({ visible }) => visible === false)).toHaveLength(2);
  expect(layout.xaxis2).toMatchObject({ domain: [0, 0.45] });
  expect(layout.annotations).toHaveLength(2);
  expect(layout.height).toBe(100 + 20);
});

test("how many columns there is room for", () => {
  expect(roomOf(358)).toEqual({ narrow: true, columns: 1 });
  expect(roomOf(1080)).toEqual({ narrow: false, columns: 4 });
});
