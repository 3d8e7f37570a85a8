import { expect, test } from "vitest";
import type { Comparison } from "../../api/types";
import { numberOf } from "./RunNumbers";

const seeds = (...values: number[]) =>
  values.map((value, seed) => ({ seed, value, run_id: `${values.length}-${seed}` }));
const arms = [
  { id: "base", final: { "validation/loss": { seeds: seeds(0.7, 0.6) } } },
  { id: "arm", final: { "validation/loss": { seeds: seeds(0.5, 0.65, 0.8) } } },
] as unknown as Comparison["arms"];
const loss = { name: "validation/loss", title: "Validation loss", shown: "number", higher_is_better: false } as const;

test("a run is placed among its seeds and held against the baseline's run of the same seed", () => {
  const of = (seed: number, arm = "arm", id = `3-${seed}`) =>
    numberOf({ arms, baseline_arm_id: "base" }, { id, arm_id: arm, seed }, loss as never);
  expect(of(0)).toMatchObject({ value: "0.500", place: "the best of its arm’s 3 seeds" });
  expect(of(1)).toMatchObject({
    place: "2nd best of its arm’s 3 seeds",
    against: { text: "+0.050 against", runId: "2-1" },
  });
  expect(of(2)?.against).toBeUndefined();
  expect(of(1, "base", "2-1")).toMatchObject({ place: "the best of its arm’s 2 seeds", against: undefined });
  expect(of(9)).toBeUndefined();
});
