import { expect, test } from "vitest";
import type { StudySummary } from "../../api/types";
import { matching, nextOrder, ordered, stateOf, valuesOf } from "./list";
import { homeSearch } from "./search";

const none = { queued: 0, running: 0, succeeded: 0, failed: 0, cancelled: 0, total: 4 };
const study = (name: string, part: Partial<StudySummary> = {}) =>
  ({
    name,
    model: "minilm-l6",
    dataset: "rotten-tomatoes",
    tags: [],
    paused: false,
    counts: { ...none, succeeded: 4 },
    headline: null,
    created_by_name: null,
    last_activity_at: "2026-01-01T00:00:00Z",
    ...part,
  }) as unknown as StudySummary;
const names = (studies: StudySummary[]) => studies.map((one) => one.name);

test("a cancelled study is told from a finished one, and both from one that ended in part", () => {
  const state = (counts: Partial<typeof none>, paused = false) => stateOf({ counts: { ...none, ...counts }, paused });
  expect(state({ succeeded: 4 })).toBe("finished");
  expect(state({ cancelled: 4 })).toBe("cancelled");
  expect(state({ cancelled: 1, failed: 3 })).toBe("cancelled");
  expect(state({ failed: 4 })).toBe("failed");
  expect(state({ succeeded: 3, failed: 1 })).toBe("incomplete");
  expect(state({ succeeded: 3, running: 1 })).toBe("running");
  expect(state({ succeeded: 3, queued: 1 })).toBe("queued");
  expect(state({ succeeded: 3, queued: 1 }, true)).toBe("paused");
});

const studies = [
  study("a", { tags: ["paper"], headline: { text: "Use HiddenKey.", state: "holds", current: true } }),
  study("B", { model: "smollm2-135m", last_activity_at: "2026-02-01T00:00:00Z" }),
  study("c", { tags: ["paper", "ranks"], created_by_name: "Mia", counts: { ...none, cancelled: 4 } }),
];

test("all filters must hold, and the text is looked for in what the row shows", () => {
  expect(names(matching(studies, { tag: "paper" }, undefined))).toEqual(["a", "c"]);
  expect(names(matching(studies, { tag: "paper", state: "cancelled" }, undefined))).toEqual(["c"]);
  expect(names(matching(studies, { verdict: "clear" }, undefined))).toEqual(["a"]);
  expect(names(matching(studies, {}, "SMOL"))).toEqual(["B"]);
  expect(names(matching(studies, {}, "mia"))).toEqual(["c"]);
  expect(names(matching(studies, { model: "no such" }, undefined))).toEqual([]);
  expect(valuesOf(studies, "tag")).toEqual([["paper", 2], ["ranks", 1]]); // prettier-ignore
});

test("a column sorts up, down, and then not at all", () => {
  expect(names(ordered(studies, "name"))).toEqual(["a", "B", "c"]);
  expect(names(ordered(studies, "-name"))).toEqual(["c", "B", "a"]);
  expect(names(ordered(studies, "-last"))).toEqual(["B", "a", "c"]);
  expect(names(ordered(studies, undefined))).toEqual(["a", "B", "c"]);
  expect([nextOrder(undefined, "name"), nextOrder("name", "name"), nextOrder("-name", "name")]).toEqual(["name", "-name", undefined]); // prettier-ignore
  expect(nextOrder("name", "last")).toBe("-last");
});

test("an address holds filters and order; what it cannot mean is undefined, so that the router drops it", () => {
  expect(homeSearch({ state: "running", sort: "-last", q: 2026 })).toMatchObject({
    state: "running",
    sort: "-last",
    q: "2026",
  });
  expect(homeSearch({ sort: "colour", archived: "yes", model: ["x"] })).toMatchObject({
    sort: undefined,
    archived: undefined,
    model: undefined,
  });
});
