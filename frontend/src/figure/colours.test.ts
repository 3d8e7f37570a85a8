import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { colourOf, METHOD_COLOURS } from "./colours";

const palette = readFileSync("../backend/charts/palette.py", "utf8");

test("every method has the colour of the server's charts", () => {
  const colours = new Map(
    [...palette.matchAll(/^([A-Z]+) = "(#[0-9A-F]{6})"$/gm)].map((found) => [found[1], found[2]]),
  );
  const server = Object.fromEntries(
    [...palette.matchAll(/^ {4}"(\w+)": \(([A-Z]+), "/gm)].map((found) => [found[1], colours.get(found[2])]),
  );
  expect(Object.keys(server).length).toBeGreaterThan(15);
  expect(METHOD_COLOURS).toEqual(server);
});

test("settings of a method are lighter and darker as on the server's charts", () => {
  expect(palette).toContain("TONED = 0.35");
  expect([-1, 0, 1].map((tone) => colourOf("hiddenkey", tone))).toEqual(["#E49659", "#D55E00", "#8A3D00"]);
});

test("a composed method has the colour that the server's hash of its key picks", () => {
  // FNV-1a of "a" is 0xe40c292c and of "foobar" 0xbf9cf968, by its authors' test vectors.
  expect(colourOf("a")).toBe("#D55E00");
  expect(colourOf("foobar")).toBe("#0072B2");
});
