import { act, renderHook } from "@testing-library/react";
import { beforeEach, expect, test } from "vitest";
import { DEFAULTS } from "./draft";
import { keptDraft, useDraft } from "./useDraft";

beforeEach(() => sessionStorage.clear());

test("a draft survives leaving the form, at its own address, until it is queued or given up", () => {
  const first = renderHook(() => useDraft(DEFAULTS, "{}"));
  expect(first.result.current.restored).toBe(false);
  act(() => first.result.current.setDraft({ ...DEFAULTS, name: "half written" }));
  first.unmount();

  expect(keptDraft('{"from":"study_1"}')).toBeUndefined();
  const again = renderHook(() => useDraft(DEFAULTS, "{}"));
  expect(again.result.current).toMatchObject({ restored: true, draft: { name: "half written" } });
  act(() => again.result.current.startOver());
  expect(again.result.current).toMatchObject({ restored: false, draft: { name: "" } });
  expect(keptDraft("{}")).toBeUndefined();

  act(() => again.result.current.setDraft({ ...DEFAULTS, name: "queued" }));
  act(() => again.result.current.forget());
  again.unmount();
  expect(renderHook(() => useDraft(DEFAULTS, "{}")).result.current.restored).toBe(false);
});

test("what somebody else wrote there is no draft", () => {
  for (const text of ["nonsense", "7", '{"address":"{}","draft":{}}', "null"]) {
    sessionStorage.setItem("dropscope-draft", text);
    expect(keptDraft("{}")).toBeUndefined();
  }
});
