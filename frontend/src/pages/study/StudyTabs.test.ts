import { expect, test } from "vitest";
import type { Comparison } from "../../api/types";
import { tabsOf } from "./StudyTabs";

const arm = (rank: number, rate: number | null, ...positions: string[]) => ({
  rank,
  rate,
  sites: positions.map((position) => ({ position, structure: "element" })),
});
const shown = (...arms: object[]) => tabsOf({ arms } as Comparison, "results").map(({ value }) => value);

test("one rate, one rank and one place have no grid, no capacity and no map", () => {
  const one = shown(arm(8, null), arm(8, 0.1, "hidden"));
  expect(one).toEqual(["results", "significance", "train_inference", "rows", "runs"]);
  expect(shown(arm(8, null), arm(8, 0.1, "hidden"), arm(8, 0.2, "hidden"))).toContain("heatmap");
  expect(shown(arm(8, null), arm(32, null))).toEqual(expect.arrayContaining(["heatmap", "capacity"]));
  expect(shown(arm(8, 0.1, "hidden", "input"))).toContain("framework");
});

test("the tab of the address stays", () => {
  expect(tabsOf(undefined, "capacity").map(({ value }) => value)).toContain("capacity");
});
