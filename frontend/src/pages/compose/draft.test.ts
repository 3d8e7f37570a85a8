import { describe, expect, test } from "vitest";
import type { AdapterFacts, MethodOut, StudySpec } from "../../api/types";
import { asCommand, asCurl, asPython } from "./code";
import {
  asWritten,
  commonRanks,
  completed,
  setRanks,
  setModel,
  setRates,
  setStart,
  toggleMethod,
  withoutArm,
} from "./draft";
import { inShort, problemAt, sentencesAt } from "./problems";
import { whatSeedsCanTell } from "./SeedsAndRanks";
import { template, TEMPLATES } from "./templates";

const preset = (name: string, default_rate: number | null) => ({ name, default_rate }) as MethodOut;
const empty = completed({ name: "s", model: "m", dataset: "d" });

describe("a draft", () => {
  test("choosing a method adds an arm at its own rate, choosing it again takes it out", () => {
    const once = toggleMethod(empty, preset("hiddenkey", 0.1));
    expect(once.arms).toEqual([{ method: "hiddenkey", rate: 0.1 }]);
    expect(toggleMethod(once, preset("hiddenkey", 0.1)).arms).toEqual([]);
  });

  test("a method without a rate is posted without one", () => {
    expect(toggleMethod(empty, preset("none", null)).arms).toEqual([{ method: "none" }]);
  });

  test("no dropout is the baseline as long as it is there", () => {
    const spec = toggleMethod(empty, preset("none", null));
    expect(spec.baseline).toBe("none");
    expect(withoutArm(spec, 0).baseline).toBeUndefined();
  });

  test("several rates are an axis, one is a number, none leaves the last", () => {
    const spec = toggleMethod(empty, preset("dropkey", 0.1));
    expect(setRates(spec, 0, [0.2, 0.1]).arms[0]?.rate).toEqual([0.1, 0.2]);
    expect(setRates(spec, 0, [0.2]).arms[0]?.rate).toBe(0.2);
    expect(setRates(spec, 0, []).arms[0]?.rate).toBe(0.1);
  });

  test("several ranks go to every arm, also to those chosen later; one rank is the study's", () => {
    const two = setRanks(toggleMethod(empty, preset("none", null)), [32, 8]);
    expect(two.arms[0]?.rank).toEqual([8, 32]);
    expect(toggleMethod(two, preset("dropkey", 0.1)).arms[1]?.rank).toEqual([8, 32]);
    const one = setRanks(two, [16]);
    expect([one.lora.rank, one.arms[0]?.rank, commonRanks(one)]).toEqual([16, null, [16]]);
  });

  test("an adapter to start from brings its rank and alpha for every arm; another model leaves it", () => {
    const two = setRanks(toggleMethod(empty, preset("none", null)), [32, 8]);
    const started = setStart(two, { id: "mine", rank: 4, alpha: 16 } as AdapterFacts);
    expect([started.start_from, started.lora.rank, started.lora.alpha, started.arms[0]?.rank]).toEqual([
      "mine",
      4,
      16,
      null,
    ]);
    const other = setModel(started, "n");
    expect([other.model, other.start_from, other.lora.rank, other.lora.alpha]).toEqual(["n", null, 4, null]);
  });

  test("is written without what is unset", () => {
    expect(asWritten({ ...empty, train_rows: null })).not.toHaveProperty("train_rows");
  });
});

test("problems are found at their field and below it, not beside it", () => {
  const problems = [
    { pointer: "/arms/1/rate", detail: "too high" },
    { pointer: "/arms/10", detail: "unknown" },
  ];
  expect(problemAt(problems, "/arms/1")).toBe("too high");
  expect(problemAt(problems, "/arms/10")).toBe("unknown");
  expect(problemAt(problems, "/arms/0")).toBeUndefined();
  const twice = [
    ...problems,
    { pointer: "/arms/1", detail: "too high" },
    { pointer: "/arms/1/rank", detail: "too low" },
  ];
  expect(sentencesAt(twice, "/arms/1")).toEqual(["too high", "too low"]);
});

test("a problem whose field says it is named in short, any other is told", () => {
  expect(inShort({ pointer: "/model", detail: "There is none." })).toBe("Something is to be changed first: Model");
  expect(inShort({ pointer: "/arms/0/rate", detail: "too high" })).toBe("too high");
  expect(inShort(undefined)).toBeUndefined();
});

test("the same study as curl, command and Python", () => {
  const spec: StudySpec = { ...empty, arms: [{ method: "none" }, { method: "hiddenkey", rate: [0.05, 0.1] }] };
  const curl = asCurl(spec, "http://127.0.0.1:8321");
  expect(JSON.parse(curl.slice(curl.indexOf("\n{") + 1, curl.lastIndexOf("\nJSON")))).toEqual(asWritten(spec));
  expect(asCommand("name: s\n")).toContain("name: s\nYAML\ndropscope run study.yaml");
  expect(asPython({ ...spec, baseline: null }, "http://h")).not.toMatch(/\bnull\b|\btrue\b/);
});

test("what a number of seeds can tell", () => {
  expect(whatSeedsCanTell(1)).toContain("no intervals");
  expect(whatSeedsCanTell(2)).toContain("decide nothing");
  expect(whatSeedsCanTell(5)).toContain("below 6 seeds");
  expect(whatSeedsCanTell(6)).toContain("enough");
  expect(whatSeedsCanTell(8, 7)).toContain("below 9 seeds, verdicts on 7 methods rest on the t test");
  expect(whatSeedsCanTell(9, 7)).toContain("enough for the exact test of 7 methods");
});

test("the demo is docs/studies/demo.yaml, and every template has arms", async () => {
  const demo = await template("demo");
  expect(demo?.arms).toHaveLength(8);
  expect(demo?.training.learning_rate).toBe(0.002);
  expect(demo?.training.gradient_clip).toBe(1);
  for (const { id } of TEMPLATES) expect((await template(id))?.arms.length).toBeGreaterThan(1);
  expect(await template("nothing")).toBeUndefined();
});
