import { expect, test } from "vitest";
import { whatThePlanSays } from "./ExtendDialog";

test("where more seeds stand in a plan of looks at 5 and 12", () => {
  expect(whatThePlanSays(12, 12, 12)).toBe("");
  expect(whatThePlanSays(12, 12, 8)).toContain("looks next at 12 seeds");
  expect(whatThePlanSays(12, 12, 13)).toContain("ends at 12 seeds: those beyond only explore");
  expect(whatThePlanSays(5, undefined, 8)).toContain("ends at 5 seeds");
});
