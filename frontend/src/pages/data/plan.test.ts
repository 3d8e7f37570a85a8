import { describe, expect, it } from "vitest";
import { idFrom, setColumn, setShape, setSplitBy, setTask, type Plan } from "./plan";
import { keysOf, shapeOf } from "./words";

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

  it("names the one column of conversations or of texts", () => {
    const columns = ["id", "Conversations", "text"];
    expect(setShape(PLAN, "messages", columns).mapping).toEqual({ messages: "Conversations" });
    expect(setShape(PLAN, "text", columns).mapping).toEqual({ text: "text" });
    expect(setShape(PLAN, "prompt", columns).mapping).toEqual({ prompt: "id" });
    expect(shapeOf({ messages: "chosen" })).toBe("messages");
    expect(keysOf("causal_lm", shapeOf({})).required).toEqual(["prompt", "completion"]);
    expect(keysOf("causal_lm", "text").required).toEqual(["text"]);
  });

  it("splits by a share until a column is chosen", () => {
    expect(setSplitBy(PLAN, "group", null).split).toEqual({ by: "ratio", ratio: 0.2, seed: 0 });
    expect(setSplitBy(PLAN, "group", "film").split).toEqual({ by: "group", column: "film", ratio: 0.2, seed: 0 });
  });

  it("makes ids of names", () => {
    expect(idFrom("My Reviews (2).csv")).toBe("my-reviews-2");
  });
});
