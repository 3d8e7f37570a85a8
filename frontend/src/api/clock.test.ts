import { expect, test } from "vitest";
import { judgedAt, stoppedWhere } from "./clock";
import type { ArmComparison } from "./types";

const arm = (stopped: unknown) => ({ final: { gap: 1 }, differences: {}, stopped }) as unknown as ArmComparison;

test("an arm is told at one clock; one that was never stopped has nothing there", () => {
  const both = arm({ final: { gap: 2 }, differences: { gap: 3 }, step: { n: 2, median: 5, first: 4, last: 6 } });
  expect(judgedAt(both, "last").final).toEqual({ gap: 1 });
  expect(judgedAt(both, "stopped")).toMatchObject({ final: { gap: 2 }, differences: { gap: 3 } });
  expect(judgedAt(arm(null), "stopped")).toEqual({ final: {}, differences: {} });
});

test("where runs were best: one step, or from where to where", () => {
  expect(stoppedWhere(arm({ step: { first: 4, last: 6 } }))).toBe("steps 4–6");
  expect(stoppedWhere(arm({ step: { first: 4, last: 4 } }))).toBe("step 4");
  expect(stoppedWhere(arm(null))).toBeUndefined();
});
