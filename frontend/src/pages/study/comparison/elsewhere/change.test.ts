import { expect, test } from "vitest";
import { changeAt, differenceWords, written, type Measure } from "./change";

const mean = (value: number) => ({ n: 3, mean: value, lo: null, hi: null, half_width: 0.01, sd: null, seeds: [] });
const difference = {
  n: 3,
  mean: -0.19,
  lo: -0.2,
  hi: -0.18,
  half_width: 0.01,
  p_t: 0.001,
  p_holm: 0.002,
  decided: "lower" as const,
  pairs: [],
};
const last = { value: mean(2.12), change: mean(0.12), worst: 0, difference };
const loss: Measure = {
  name: "also/general/loss",
  title: "Loss on general",
  short_title: "Loss",
  unit: "nats per token",
  higher_is_better: false,
  shown: "plain",
  arms: [{ arm_id: "a", before: mean(2), last, stopped: null }],
};

test("a change is looked up by arm and clock, and one that is not known is none", () => {
  expect(changeAt(loss, "a", "last")).toBe(last);
  expect(changeAt(loss, "a", "stopped")).toBeUndefined();
  expect(changeAt(loss, "b", "last")).toBeUndefined();
});

test("changes carry their sign, shares are in per cent", () => {
  expect(written(loss, last.change, true)).toBe("+0.120 ± 0.010");
  expect(written(loss, last.value, false)).toBe("2.120 ± 0.010");
  expect(written(loss, last.value, false, true)).toBe("2.120");
  expect(written({ ...loss, shown: "share" }, last.change, true)).toBe("+12.0 ± 1.0 pp");
  expect(written({ ...loss, shown: "share" }, mean(0.5), false)).toBe("50.0 %");
  expect(written(loss, undefined, true)).toBe("–");
});

test("lower is better for a loss and worse for a score", () => {
  expect(differenceWords(loss, difference)).toBe("better");
  expect(differenceWords({ ...loss, higher_is_better: true }, difference)).toBe("worse");
  expect(differenceWords(loss, { ...difference, decided: "undecided" })).toBe("no difference shown");
});
