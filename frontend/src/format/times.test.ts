import { expect, test } from "vitest";
import { ago, between, duration, timeLeft } from "./times";

const NOON = Date.parse("2026-01-01T12:00:00Z");

test("a moment ahead of this clock reads as now", () => {
  expect(ago("2026-01-01T12:05:00Z", NOON)).toBe("now");
  expect(ago("2026-01-01T11:57:00Z", NOON)).toContain("3");
  expect(ago(null, NOON)).toBe("never");
});

test("durations", () => {
  expect(duration(42.4)).toBe("42 s");
  expect(duration(200)).toBe("3 min 20 s");
  expect(duration(7500)).toBe("2 h 5 min");
  expect(duration(null)).toBe("–");
});

test("time left", () => {
  expect(timeLeft(200)).toBe("about 3 min 20 s");
  expect(timeLeft(0.2)).toBe("a moment");
});

test("ranges are in the unit of their end", () => {
  expect(between(12, 45)).toBe("12–45 s");
  expect(between(50, 340)).toBe("0.8–6 min");
  expect(between(5000, 9000)).toBe("1.4–2.5 h");
  expect(between(59.8, 60.2)).toBe("60 s");
});
