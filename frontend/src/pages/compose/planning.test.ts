import { expect, test } from "vitest";
import type { DatasetFacts } from "../../api/types";
import { asWritten, completed, setDataset } from "./draft";
import { asLooks, judgedBy, setPlan, unitOf, usualLooks, usualSize, withoutPlan } from "./planning";

const spec = completed({ name: "s", model: "m", dataset: "d", arms: [{ method: "none" }] });

test("a plan holds what is not as usual, and is none of one's own where all is", () => {
  const planned = setPlan(setPlan(spec, { smallest: 0.05 }), { clock: "stopped" });
  expect(planned.plan).toEqual({ smallest: 0.05, clock: "stopped" });
  expect(setPlan(setPlan(planned, { smallest: null }), { clock: "last" })).not.toHaveProperty("plan");
});

test("that there is no plan is written down; another task has another plan", () => {
  const none = withoutPlan(spec, true);
  expect(asWritten(none)).toMatchObject({ plan: null });
  expect(asWritten(withoutPlan(none, false))).not.toHaveProperty("plan");
  const planned = setPlan(spec, { metric: "validation/accuracy" });
  const set = (task: string) => ({ id: "e", task, rows: { train: 9, validation: 9 } }) as unknown as DatasetFacts;
  expect(setDataset(planned, set("classification")).plan).toEqual({ metric: "validation/accuracy" });
  expect(setDataset(planned, set("regression"))).not.toHaveProperty("plan");
});

test("what a study can be judged by, the usual first, with its unit and size", () => {
  expect(judgedBy(spec)[0]).toEqual({ value: "validation/loss", label: "validation loss" });
  expect(judgedBy({ ...spec, test_rows: 99 })[0]?.value).toBe("test/loss");
  const numbers = { ...spec, task: "regression" as const };
  expect(judgedBy(numbers)[0]?.value).toBe("validation/pearson");
  expect([unitOf(spec, "validation/loss"), usualSize(spec, "validation/loss")]).toEqual(["nats", "0.02 nats"]);
  expect([unitOf(numbers, "validation/loss"), usualSize(numbers, "validation/loss")]).toEqual(["", "say one"]);
});

test("looks are numbers with commas between them", () => {
  expect(asLooks("5, 12;20")).toEqual([5, 12, 20]);
  expect(asLooks(" ")).toBeNull();
  expect(asLooks("5, many")).toBeUndefined();
});

test("a race looks at 5, 8 and 12 seeds unless it says others", () => {
  expect(usualLooks(spec)).toEqual([5]);
  expect(usualLooks(setPlan(spec, { race: true }))).toEqual([5, 8, 12]);
  expect(usualLooks(setPlan({ ...spec, seeds: 8 }, { race: true, seeds: 20 }))).toEqual([8, 12, 20]);
  expect(setPlan(setPlan(spec, { race: true }), { race: false })).not.toHaveProperty("plan");
});
