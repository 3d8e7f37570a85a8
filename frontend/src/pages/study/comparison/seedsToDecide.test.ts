import { expect, test } from "vitest";
import type { Difference } from "../../../api/types";
import { seedsToDecide } from "./SeedsNeeded";

const told = (n: number, p_t: number | null, seeds_needed_holm: number | null) =>
  seedsToDecide({ n, p_t, seeds_needed_holm } as Difference);

test("a difference without spread names no number of seeds", () => {
  expect(told(5, null, null)).toBe("no spread to test");
  expect(told(1, null, null)).toBe("two seeds at least");
  expect(told(5, 0.9, null)).toBe("over 1,000 seeds");
  expect(told(5, 0.2, 70)).toBe("over 64 seeds");
  expect(told(5, 0.2, 12)).toBe("12 seeds");
});
