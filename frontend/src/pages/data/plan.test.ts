import { describe, expect, it } from "vitest";
import { idFrom, setColumn, setSplitBy, setTask, type Plan } from "./plan";

const PLAN: Plan = { task: "classification", mapping: { text: "review", label: "stars" } };

describe("the plan of a new data set", () => {
  it("keeps the columns that mean something for another task", () => {
    expect(setTask(PLAN, "regression").mapping).toEqual({ text: "review", label: "stars" });
    expect(setTask(PLAN, "causal_lm").mapping).toEqual({});
  });

  it("takes a column back", () => {
    expect(setColumn(PLAN, "text_pair", "title").mapping).toMatchObject({ text_pair: "title" });
    expect(setColumn(PLAN, "text", null).mapping).toMatchObject({ text: null });
  });

  it("splits by a share until a column is chosen", () => {
    expect(setSplitBy(PLAN, "group", null).split).toEqual({ by: "ratio", ratio: 0.2, seed: 0 });
    expect(setSplitBy(PLAN, "group", "film").split).toEqual({ by: "group", column: "film", ratio: 0.2, seed: 0 });
  });

  it("makes ids of names", () => {
    expect(idFrom("My Reviews (2).csv")).toBe("my-reviews-2");
  });
});
