import { expect, test } from "vitest";
import { step, walksOf, type Walk } from "./points";

const WALKS: Walk[] = [
  { curve: 1, points: [0, 1, 3] },
  { curve: 4, points: [0] },
];

test("arrows go along a line and over to the next, and stop at the ends", () => {
  expect(step(WALKS, undefined, "ArrowRight")).toEqual({ curve: 1, point: 0 });
  expect(step(WALKS, { curve: 1, point: 1 }, "ArrowRight")).toEqual({ curve: 1, point: 3 });
  expect(step(WALKS, { curve: 1, point: 3 }, "ArrowRight")).toEqual({ curve: 1, point: 3 });
  expect(step(WALKS, { curve: 1, point: 3 }, "ArrowDown")).toEqual({ curve: 4, point: 0 });
  expect(step(WALKS, { curve: 4, point: 0 }, "ArrowDown")).toEqual({ curve: 4, point: 0 });
  expect(step(WALKS, { curve: 1, point: 0 }, "End")).toEqual({ curve: 1, point: 3 });
  expect(step(WALKS, { curve: 1, point: 0 }, "Tab")).toBeUndefined();
  expect(step([], undefined, "ArrowRight")).toBeUndefined();
});

test("what is hidden, silent, or no number is not walked to", () => {
  const trace = { visible: true, type: "scatter" };
  const chart = Object.assign(document.createElement("div"), {
    calcdata: [
      [{ x: 1, y: 2, trace: { ...trace, hoverinfo: "skip" } }],
      [{ x: 1, y: 2, trace: { ...trace, visible: false } }],
      [
        { x: 1, y: 2, trace },
        { x: 2, y: NaN },
        { x: 3, y: 4 },
      ],
    ],
  });
  expect(walksOf(chart)).toEqual([{ curve: 2, points: [0, 2] }]);
});
