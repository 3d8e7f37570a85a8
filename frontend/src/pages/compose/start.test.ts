import { describe, expect, it } from "vitest";
import type { DatasetFacts, ModelFacts } from "../../api/types";
import { composeSearch } from "./search";
import { startingPoint } from "./start";

const model = (id: string, ...tasks: string[]) => ({ id, tasks }) as unknown as ModelFacts;
const data = (id: string, task: string) =>
  ({ id, task, rows: { train: 30, validation: 9 } }) as unknown as DatasetFacts;
const MODELS = [model("encoder", "classification", "regression"), model("writer", "causal_lm")];
const DATA = [data("reviews", "classification"), data("answers", "causal_lm"), data("stars", "regression")];

describe("startingPoint", () => {
  it("takes a model that can learn the data set that is asked for", () => {
    expect(startingPoint(MODELS, DATA, { dataset: "answers" })).toMatchObject({ dataset: "answers", model: "writer" });
    expect(startingPoint(MODELS, DATA, { dataset: "answers" }).task).toBe("causal_lm");
    expect(startingPoint(MODELS, DATA, { dataset: "stars" })).toMatchObject({ dataset: "stars", model: "encoder" });
  });

  it("begins with the first model where nothing, or nothing known, is asked for", () => {
    for (const wanted of [{}, { dataset: "gone" }])
      expect(startingPoint(MODELS, DATA, wanted)).toMatchObject({ dataset: "reviews", model: "encoder" });
  });

  it("keeps a data set that no model here can learn, so that the form can say so", () => {
    expect(startingPoint([MODELS[0]!], DATA, { dataset: "answers" })).toMatchObject({ dataset: "answers" });
  });
});

describe("composeSearch", () => {
  it("drops what is not a word", () => {
    expect(composeSearch({ dataset: ["a"], from: 1, start: "x" })).toEqual({ start: "x" });
  });
});
