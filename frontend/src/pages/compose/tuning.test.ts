import { describe, expect, test } from "vitest";
import type { MethodOut } from "../../api/types";
import { completed, toggleMethod } from "./draft";
import { RIVALS, toggleRival } from "./rivals";
import { isTuned, setTestRows, tuned, untuned } from "./tuning";

const empty = completed({ name: "s", model: "m", dataset: "d" });
const preset = (name: string, rate: number | null) => ({ name, default_rate: rate }) as MethodOut;
const spec = [preset("none", null), preset("dropkey", 0.1)].reduce(toggleMethod, empty);

describe("each method at its best", () => {
  test("gives every method four settings, the usual ones of plain LoRA first", () => {
    const made = tuned(RIVALS.reduce(toggleRival, spec));
    expect(made.arms).toEqual([
      { method: "none", learning_rate: [0.002, 0.001], weight_decay: [0.1, 0.3] },
      { method: "dropkey", rate: [0.05, 0.15], learning_rate: [0.002, 0.001], weight_decay: null },
    ]);
    expect(made.baseline).toBeUndefined(); // `none` would mean four arms
    expect([isTuned(made), isTuned(spec)]).toEqual([true, false]);
  });

  test("comes with test rows and goes with them", () => {
    const fair = setTestRows(spec, 512);
    expect(fair).toEqual({ ...tuned(spec), test_rows: 512 });
    expect(untuned(fair)).toEqual({ ...spec, test_rows: 512 });
    expect(setTestRows(fair, null)).toEqual({ ...spec, test_rows: null });
    expect(setTestRows(fair, 256)).toEqual({ ...fair, test_rows: 256 });
  });

  test("leaves settings of one's own alone", () => {
    const own = { ...spec, arms: [{ method: "none", learning_rate: [0.1, 0.2, 0.3] }] };
    expect(setTestRows(own, 512)).toEqual({ ...own, test_rows: 512 });
    const without = { ...spec, test_rows: 512 }; // who took the four settings back
    expect(setTestRows(without, 51)).toEqual({ ...without, test_rows: 51 });
  });
});
