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

test("a composed method keeps its colour", () => {
  expect(colourOf("composed-a1b2")).toBe(colourOf("composed-a1b2"));
  expect(colourOf("composed-a1b2")).toMatch(/^#[0-9A-F]{6}$/);
});
