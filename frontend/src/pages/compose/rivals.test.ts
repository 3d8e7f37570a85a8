import { describe, expect, test } from "vitest";
import type { MethodOut } from "../../api/types";
import { armOf, commonRanks, completed, setRanks, setStart, toggleMethod } from "./draft";
import { inWords, rivalAt, RIVALS, toggleRival, whyNoRival, withRivals, type Rival } from "./rivals";

const [shorter, rate, decay, smoothing, rank] = RIVALS as [Rival, Rival, Rival, Rival, Rival];
const plain = toggleMethod(completed({ name: "s", model: "m", dataset: "d" }), {
  name: "none",
  default_rate: null,
} as MethodOut);
const all = RIVALS.reduce(toggleRival, plain);

describe("free rivals", () => {
  test("are arms of plain LoRA with one other setting, and go as they came", () => {
    expect(all.arms.slice(1)).toEqual([
      { method: "none", label: "Two thirds of the epochs", epochs: 5 },
      { method: "none", label: "Half the learning rate", learning_rate: 0.001 },
      { method: "none", label: "Three times the weight decay", weight_decay: 0.3 },
      { method: "none", label: "Label smoothing 0.1", label_smoothing: 0.1 },
      { method: "none", label: "Half the rank", rank: 4 },
    ]);
    expect(RIVALS.reduce(toggleRival, all)).toEqual(plain);
    expect(inWords(all, decay)).toBe("weight decay 0.3 instead of 0.1");
  });

  test("leave plain LoRA its card and its place as the baseline", () => {
    expect(armOf(all, "none")).toBe(0);
    expect(all.baseline).toBeUndefined(); // `none` would mean four arms: the first plain one is it
    const preset = { name: "none", default_rate: null } as MethodOut;
    const without = toggleMethod(all, preset);
    expect(armOf(without, "none")).toBe(-1);
    expect(toggleMethod(without, preset).arms[0]).toEqual({ method: "none" });
  });

  test("follow the settings of the study", () => {
    const training = { ...all.training, learning_rate: 0.0005, weight_decay: 0 };
    const after = withRivals(all, { ...all, training });
    expect(after.arms[rivalAt(after, rate)]?.learning_rate).toBe(0.00025);
    expect(rivalAt(after, decay)).toBe(-1); // three times nothing is nothing
    expect(whyNoRival(after, decay)).toBe("The weight decay is 0 already: nothing would differ.");
    const own = { ...all, arms: all.arms.map((arm) => (arm.learning_rate ? { ...arm, learning_rate: 0.0007 } : arm)) };
    const kept = withRivals(own, { ...own, training });
    expect(kept.arms[rivalAt(kept, rate)]?.learning_rate).toBe(0.0007); // a value of one's own stays
  });

  test("know of ranks: half of one, none of several, none of an adapter's", () => {
    expect(commonRanks(all)).toEqual([8]);
    const wider = withRivals(all, setRanks(all, [16]));
    expect(wider.arms[rivalAt(wider, rank)]?.rank).toBe(8);
    const several = setRanks(all, [2, 8]);
    expect([rivalAt(several, rank), several.arms[1]?.rank]).toEqual([-1, [2, 8]]);
    expect(whyNoRival(several, rank)).toContain("several ranks already");
    expect(toggleRival(setRanks(plain, [2, 8]), rate).arms[1]?.rank).toEqual([2, 8]);
    const started = withRivals(all, setStart(all, { id: "mine", rank: 4, alpha: 8 } as Parameters<typeof setStart>[1]));
    expect([rivalAt(started, rank), whyNoRival(started, rank)]).toEqual([-1, expect.stringContaining("adapter")]);
  });

  test("know of tasks and short trainings", () => {
    expect(shorter.own(1)).toBe(0.667);
    expect(inWords(all, smoothing)).toBe("label smoothing 0.1 instead of 0");
    const numbers = withRivals(all, { ...all, task: "regression" });
    expect(rivalAt(numbers, smoothing)).toBe(-1);
    expect(whyNoRival(numbers, smoothing)).toContain("no other answers");
  });

  test("are not what is tuned", () => {
    expect(rivalAt({ ...plain, arms: [{ method: "none", learning_rate: [0.001, 0.002] }] }, rate)).toBe(-1);
  });
});
