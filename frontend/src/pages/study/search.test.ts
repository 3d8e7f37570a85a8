import { expect, test } from "vitest";
import { loginSearch } from "../account/search";
import { composeSearch } from "../compose/search";
import { homeSearch } from "../home/search";
import { runSearch } from "../run/search";
import { studySearch } from "./search";

test("a view comes back from its address as it was", () => {
  const view = {
    baseline: "arm_1",
    metric: "gap",
    clock: "stopped",
    x: "epoch",
    band: "seeds",
    tab: "runs",
    hide: ["a"],
    runs: "x",
    log: true,
  };
  expect(studySearch(view)).toEqual(view);
});

test("any name that may be a metric's is asked for, whatever the page knows of it", () => {
  for (const metric of ["gap", "validation/rouge_l", "validation/new_score2"])
    expect(studySearch({ metric })).toEqual({ metric });
  for (const metric of ["validation/loss", "<b>", "a b", "a/b/c", "../x", "x".repeat(60), 7, ["gap"]])
    expect(studySearch({ metric })).toEqual({});
});

test("what is as usual, unknown or nonsense stays out of the address", () => {
  expect(studySearch({ x: "step", band: "t", tab: "results", metric: "validation/loss", hide: [] })).toEqual({});
  expect(studySearch({ x: "<script>", band: 7, hide: "all", tab: "nowhere", baseline: {} })).toEqual({});
  expect(studySearch({ hide: ["a", 7] })).toEqual({ hide: ["a"] });
  expect(homeSearch({ q: "", archived: "yes" })).toEqual({});
  expect(composeSearch({ from: 3 })).toEqual({});
  expect(runSearch({ tab: "curves" })).toEqual({});
});

test("signing in leads back into this product only", () => {
  expect(loginSearch({ to: "/studies/s?tab=runs" })).toEqual({ to: "/studies/s?tab=runs" });
  const once = `/login?to=${encodeURIComponent("/studies/s?tab=runs")}`;
  expect(loginSearch({ to: `/login?to=${encodeURIComponent(once)}` })).toEqual({ to: "/studies/s?tab=runs" });
  expect(loginSearch({ to: "/login" })).toEqual({});
  for (const to of ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)"])
    expect(loginSearch({ to })).toEqual({});
});
