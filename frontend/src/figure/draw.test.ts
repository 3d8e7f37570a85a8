import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { drawNever, drawSoon } from "./draw";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test("charts are drawn one at a time, the newest drawing of each, and none that was given up", () => {
  const [losses, gap, gone] = [0, 1, 2].map(() => document.createElement("div"));
  const drawn: string[] = [];
  drawSoon(losses!, () => drawn.push("old losses"));
  drawSoon(gap!, () => drawn.push("gap"));
  drawSoon(gone!, () => drawn.push("gone"));
  drawSoon(losses!, () => drawn.push("losses"));
  drawNever(gone!);
  expect(drawn).toEqual([]);
  vi.advanceTimersToNextTimer();
  expect(drawn).toEqual(["losses"]);
  vi.runAllTimers();
  expect(drawn).toEqual(["losses", "gap"]);
  drawSoon(gap!, () => drawn.push("gap again"));
  vi.runAllTimers();
  expect(drawn.at(-1)).toBe("gap again");
});

test("a chart that cannot be drawn does not hold up the others", () => {
  const drawn = vi.fn();
  drawSoon(document.createElement("div"), () => {
    throw new Error("no");
  });
  drawSoon(document.createElement("div"), drawn);
  expect(() => vi.runAllTimers()).toThrow("no");
  vi.runAllTimers();
  expect(drawn).toHaveBeenCalledOnce();
});
