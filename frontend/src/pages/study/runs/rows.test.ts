import { expect, test } from "vitest";
import { differing, filtered, unknownKeys, type RunRow } from "./rows";

const row = (part: Partial<RunRow>) =>
  ({
    arm_label: "HiddenKey 0.1",
    method: "hiddenkey",
    status: "succeeded",
    seed: 0,
    rank: 8,
    alpha: 16,
    ...part,
  }) as RunRow;
const rows = [
  row({ id: "a" }),
  row({ id: "b", status: "failed", seed: 1 }),
  row({ id: "c", arm_label: "No dropout", method: "none", rank: 32, alpha: 64 }),
];
const ids = (text: string) => filtered(rows, text).map((one) => one.id);

test("words filter anywhere, keys in their field, all must hold", () => {
  expect(ids("")).toEqual(["a", "b", "c"]);
  expect(ids("hiddenkey")).toEqual(["a", "b"]);
  expect(ids("status:failed hiddenkey")).toEqual(["b"]);
  expect(ids('arm:"No dropout"')).toEqual(["c"]);
  expect(ids("seed:1")).toEqual(["b"]);
  expect(ids("rank:3")).toEqual([]);
  expect(ids("nonsense:1")).toEqual([]);
});

test("a key that no run has is named, so that an empty table explains itself", () => {
  expect(unknownKeys('foo:bar status:failed arm:"No dropout" plain')).toEqual(["foo"]);
  expect(unknownKeys("loss<0.62")).toEqual([]);
});

test("alpha differs only where it does not follow the rank", () => {
  expect([...differing(rows)]).toEqual(["rank"]);
  expect([...differing([...rows, row({ id: "d", alpha: 8 })])]).toEqual(["rank", "alpha"]);
});
