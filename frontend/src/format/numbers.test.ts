import { describe, expect, test } from "vitest";
import { bytes, count, decimals, percentPoints, plusMinus, pValue, signed } from "./numbers";

describe("numbers", () => {
  test("what does not exist is a dash, never NaN", () => {
    for (const value of [null, undefined, NaN, Infinity]) expect(decimals(value)).toBe("–");
    expect(plusMinus(null, 0.1)).toBe("–");
    expect(pValue(NaN)).toBe("–");
  });

  test("a mean without an interval stands alone", () => {
    expect(plusMinus(0.5, null)).toBe("0.500");
    expect(plusMinus(0.5, 0.01)).toBe("0.500 ± 0.010");
  });

  test("differences carry a sign, but not one that rounding has emptied", () => {
    expect(signed(0.2)).toBe("+0.200");
    expect(signed(-0.2)).toBe("−0.200");
    expect(signed(-0.0001)).toBe("0.000");
  });

  test("a small p is not zero", () => {
    expect(pValue(0.0002)).toBe("< 0.001");
    expect(pValue(0.0312)).toBe("0.031");
  });

  test("shares differ by percentage points", () => {
    expect(percentPoints(0.0123, 0.004)).toBe("+1.2 ± 0.4 pp");
    expect(percentPoints(null, null)).toBe("–");
  });

  test("units", () => {
    expect(bytes(999)).toBe("999 B");
    expect(bytes(90_900_000)).toBe("90.9 MB");
    expect(count(1, "run")).toBe("1 run");
    expect(count(2000, "run")).toBe("2,000 runs");
  });
});
