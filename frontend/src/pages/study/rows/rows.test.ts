import { expect, test } from "vitest";
import type { ArmLedger, SaidOfRow } from "../../../api/types";
import { cellsOf } from "./ConfidenceTable";
import { saysOf } from "./RowPaper";

const said = { arm_id: "a", name: "A", seeds: 5, right: 3, loss: 0.7, p_right: 0.52, predicted: null, value: null };

test("what seeds say of a row is counted in a classification, and a value in a regression", () => {
  expect(saysOf(said)).toBe("3 of 5 right, 52 %");
  expect(saysOf({ ...said, right: null, p_right: null, value: 0.25 } as SaidOfRow["arms"][number])).toBe("says 0.250");
  expect(saysOf({ ...said, right: null, p_right: null })).toBe("loss 0.700");
});

test("a number that an arm does not have is a dash, never a zero", () => {
  const arm: ArmLedger = {
    arm_id: "a",
    name: "A",
    is_baseline: true,
    runs: 1,
    rows: 32,
    loss: 0.5,
    accuracy: null,
    calibration: null,
    together: null,
    against_baseline: null,
    components: null,
  };
  expect(cellsOf(arm)).toEqual(["1", "–", "0.500", "–", "–", "–", "–", "–", "–", "–"]);
  const against = { only_this: 7, only_baseline: 2, p: 0.18 };
  expect(cellsOf({ ...arm, against_baseline: against }).at(-1)).toBe("7 : 2, p = 0.18");
});
