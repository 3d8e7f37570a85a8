import { describe, expect, it } from "vitest";
import { higherIsBetter, scoreText } from "./metrics";

describe("scores", () => {
  it("know which way is better", () => {
    expect(["validation/matthews", "test/pearson", "validation/bleu"].every(higherIsBetter)).toBe(true);
    expect(["validation/loss", "gap", "validation/ter", "validation/perplexity"].some(higherIsBetter)).toBe(false);
  });
  it("are written in their own unit", () => {
    expect(scoreText("validation/accuracy", 0.7321)).toBe("73.2 %");
    expect(scoreText("validation/bleu", 27.3456)).toBe("27.3");
    expect(scoreText("validation/matthews", 0.4567)).toBe("0.457");
    expect(scoreText("validation/ter", null)).toBe("–");
  });
});
