import { expect, test } from "vitest";
import type { Comparison } from "../../../api/types";
import { forestRows, hasPicture, pictured, reach } from "./forest";

const difference = (mean: number | null, half: number | null) => ({
  mean,
  lo: half === null || mean === null ? null : mean - half,
  hi: half === null || mean === null ? null : mean + half,
});
const of = (mean: number, half: number | null = null) => ({ "validation/loss": difference(mean, half) });
const base = {
  id: "b",
  label: "No dropout",
  is_baseline: true,
  differences: of(0),
  stopped: { differences: of(0), last_against_stopped: of(0.2, 0.1) },
};
const better = { id: "x", label: "X", is_baseline: false, differences: of(-0.3, 0.1), stopped: null };
const waiting = { id: "w", label: "W", is_baseline: false, differences: {}, stopped: null };
const study = (...arms: object[]) =>
  ({
    metric: "validation/loss",
    verdict: { metric: "validation/loss" },
    arms,
    ranking: arms.map((arm) => (arm as { id: string }).id),
  }) as Comparison;

test("the free rival stands first, then the arms in their order; who has no difference yet has no row", () => {
  const rows = forestRows(study(better, waiting, base), new Set());
  expect(rows.map(({ id }) => id)).toEqual(["b", "x"]);
  expect(rows[0]).toMatchObject({ last: undefined, stopped: { mean: -0.2, lo: -0.30000000000000004, hi: -0.1 } });
  expect(rows[1]).toMatchObject({ last: { mean: -0.3 }, stopped: undefined });
});

test("a study of one clock has no rival's row, a hidden arm none, and two seeds no ends", () => {
  const older = { ...base, stopped: null };
  expect(forestRows(study(better, older), new Set(["x"]))).toEqual([]);
  expect(forestRows(study({ ...better, differences: of(-0.3) }, older), new Set())[0]?.last).toEqual({
    mean: -0.3,
    lo: -0.3,
    hi: -0.3,
  });
});

test("it pictures the loss that the verdict speaks of, unless another quantity is asked for", () => {
  const tested = { ...study(better, base), verdict: { metric: "test/loss" } } as Comparison;
  expect(pictured(tested)).toBe("test/loss");
  expect(forestRows(tested, new Set())).toEqual([]);
  expect(pictured({ ...tested, metric: "gap" })).toBe("gap");
  expect([tested, study(better, base)].map(hasPicture)).toEqual([true, false]);
});

test("the picture holds every end and 0", () => {
  const [low, high] = reach(forestRows(study(better, base), new Set()));
  expect(low).toBeLessThan(-0.4);
  expect(high).toBeGreaterThan(0);
  expect(reach([])).toEqual([-0.04, 0.04]);
});
