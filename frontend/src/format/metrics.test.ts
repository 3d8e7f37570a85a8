import { expect, test } from "vitest";
import { scoreText } from "./metrics";

test("scores are written in their own unit", () => {
  expect(scoreText({ shown: "share" }, 0.7321)).toBe("73.2 %");
  expect(scoreText({ shown: "points" }, 27.3456)).toBe("27.3");
  expect(scoreText({ shown: "plain" }, 0.4567)).toBe("0.457");
  expect(scoreText({ shown: "points" }, null)).toBe("–");
});
