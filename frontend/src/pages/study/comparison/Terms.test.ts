import { expect, test } from "vitest";
import { pieces } from "./Terms";

const whole = (text: string) =>
  pieces(text)
    .map((piece) => piece.text)
    .join("");

test("a term is explained where it stands first, and no letter is lost", () => {
  const text = "It has a test loss of 0.6, 0.1 ± 0.02 lower (p = 0.01 after correction); 0.2 ± 0.1 with more seeds.";
  expect(whole(text)).toBe(text);
  const told = pieces(text).filter(({ means }) => means);
  expect(told.map((piece) => piece.text)).toEqual(["test loss", "± 0.02", "p = 0.01", "after correction", "seeds"]);
  expect(pieces("Nothing of the trade.")).toEqual([{ text: "Nothing of the trade." }]);
  expect(pieces("")).toEqual([]);
});
