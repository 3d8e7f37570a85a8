import { expect, test } from "vitest";
import type { ArmOut, StudyDetail } from "../../api/types";
import { completed } from "./draft";
import { followUp } from "./followUp";
import { composeSearch } from "./search";

const arm = (id: string, method: string, rate: number | null, rank = 8) =>
  ({
    id,
    method,
    label: id,
    is_baseline: method === "none",
    spec: {
      rank,
      alpha: 16,
      method: { sites: rate === null ? [] : [{ position: "hidden", structure: "element", rate }] },
      training: { learning_rate: 0.002, weight_decay: 0.1 },
    },
  }) as unknown as ArmOut;
const asked = completed({
  model: "m",
  dataset: "d",
  baseline: "none",
  plan: { metric: "validation/loss", clock: "last", race: false, seeds: 5, looks: [5] },
  arms: [{ method: "none" }, { method: "hiddenkey", rate: [0.05, 0.1] }, { method: "dropkey", rate: 0.1 }],
});
const study = {
  name: "demo",
  spec: asked,
  arms: [arm("a", "none", null), arm("b", "hiddenkey", 0.05), arm("c", "hiddenkey", 0.1), arm("d", "dropkey", 0.1)],
} as StudyDetail;

test("stopped in time: the advised arms beside the baseline, each at its own rate, with no plan of before", () => {
  const made = followUp(study, asked, { from: "s", arms: ["c"], patience: 1 });
  expect(made.arms).toEqual([{ method: "none" }, { method: "hiddenkey", rate: 0.1 }]);
  expect(made.training).toMatchObject({ patience: 1, keep: "both", epochs: asked.training.epochs });
  expect(made).not.toHaveProperty("plan");
  expect([made.name, made.baseline]).toEqual(["demo (stopped in time)", "none"]);
});

test("a larger study keeps its arms, and plans by what matters", () => {
  const made = followUp(study, asked, { from: "s", seeds: 24, metric: "test/loss", smallest: 0.02 });
  expect(made.arms).toEqual(asked.arms);
  expect(made.seeds).toBe(24);
  expect(made.plan).toEqual({ race: false, metric: "test/loss", smallest: 0.02, clock: "last" });
});

test("a clone is a clone, and an address that says nonsense asks for nothing", () => {
  expect(followUp(study, asked, { from: "s" })).toBe(asked);
  expect(composeSearch({ from: "s", seeds: 900, patience: -1, smallest: "x", arms: [3], clock: "last" })).toEqual({
    from: "s",
  });
});
