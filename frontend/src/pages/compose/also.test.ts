import { expect, test } from "vitest";
import type { DatasetFacts } from "../../api/types";
import { alsoChoices } from "./also";
import { asWritten, completed, setDataset } from "./draft";

const set = (id: string, task: DatasetFacts["task"], label_names: string[] = []) =>
  ({ id, title: id, task, label_names, rows: { train: 10, validation: 5 } }) as unknown as DatasetFacts;
const SETS = [
  set("own", "classification", ["bad", "good"]),
  set("same", "classification", ["good", "bad"]),
  set("other", "classification", ["a", "b"]),
  set("texts", "causal_lm"),
];

test("a classifier is measured on sets with the same classes, and what cannot be chosen says why", () => {
  const found = alsoChoices(completed({ dataset: "own", task: "classification" }), SETS);
  expect(found).toEqual([
    { value: "same", label: "same" },
    { value: "other", label: "other (other classes)", disabled: true },
    { value: "texts", label: "texts (another task)", disabled: true },
  ]);
});

test("a language model is measured on any texts but its own", () => {
  const found = alsoChoices(completed({ dataset: "texts", task: "causal_lm" }), SETS);
  expect(found.map(({ value, disabled }) => [value, disabled])).toEqual([
    ["own", undefined],
    ["same", undefined],
    ["other", undefined],
  ]);
});

test("another data set is no longer one of the further ones, and another task takes them all along", () => {
  const spec = completed({ dataset: "own", task: "classification", also_measure: ["same"] });
  expect(setDataset(spec, SETS[2]!).also_measure).toEqual(["same"]);
  expect(setDataset(spec, SETS[1]!).also_measure).toEqual([]);
  expect(setDataset(spec, SETS[3]!).also_measure).toEqual([]);
});

test("who measures nothing else writes nothing of it", () => {
  expect(asWritten(completed({ dataset: "own" }))).not.toHaveProperty("also_measure");
  expect(asWritten(completed({ dataset: "own" }))).not.toHaveProperty("also_rows");
  expect(asWritten(completed({ dataset: "own", also_measure: ["same"] }))).toMatchObject({
    also_measure: ["same"],
    also_rows: 200,
  });
});
