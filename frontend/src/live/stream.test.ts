import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { EventOut, RunSummary } from "../api/types";
import { applyToRuns, throttled } from "./apply";
import type { LiveStatus } from "./status";
import { openStream } from "./stream";

/** Stands for the browser's EventSource: the test says when it opens, breaks and speaks. */
class Source extends EventTarget {
  static all: Source[] = [];
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  closed = false;
  readonly url: string;
  constructor(url: string) {
    super();
    this.url = url;
    Source.all.push(this);
  }
  close() {
    this.closed = true;
  }
  say(event: Partial<EventOut>) {
    this.dispatchEvent(new MessageEvent(event.kind!, { data: JSON.stringify(event) }));
  }
}

const batches: EventOut[][] = [];
const statuses: LiveStatus[] = [];
let polls = 0;
let close: () => void;

beforeEach(() => {
  vi.useFakeTimers();
  Source.all = [];
  batches.length = statuses.length = polls = 0;
  close = openStream({
    address: "/api/v1/studies/study_1/stream",
    kinds: ["run", "evaluation", "study"],
    after: 7,
    onEvents: (events) => batches.push(events),
    onPoll: () => polls++,
    onStatus: (status) => statuses.push(status),
    Source: Source as unknown as typeof EventSource,
  });
});

afterEach(() => {
  close();
  vi.useRealTimers();
});

test("events come in batches, and none twice", () => {
  const source = Source.all[0]!;
  expect(source.url).toContain("/studies/study_1/stream?after=7");
  source.onopen!();
  for (const seq of [8, 9, 9, 10]) source.say({ seq, kind: "evaluation", run_id: "r", data: {} });
  expect(batches).toEqual([]);
  vi.advanceTimersByTime(250);
  expect(batches.map((batch) => batch.map((event) => event.seq))).toEqual([[8, 9, 10]]);
  expect(statuses).toEqual(["live"]);
});

test("a broken stream goes on after the last event, and polls when it stays broken", () => {
  Source.all[0]!.onopen!();
  Source.all[0]!.say({ seq: 12, kind: "run", run_id: "r", data: {} });
  Source.all[0]!.onerror!();
  vi.advanceTimersByTime(1000);
  expect(Source.all[1]!.url).toContain("after=12");
  Source.all[1]!.onerror!();
  vi.advanceTimersByTime(2000);
  Source.all[2]!.onerror!();
  expect(statuses).toEqual(["live", "reconnecting", "reconnecting", "polling"]);
  vi.advanceTimersByTime(3500);
  expect(polls).toBe(1);
  Source.all.at(-1)!.onerror!();
  vi.advanceTimersByTime(16_000);
  Source.all.at(-1)!.onopen!();
  const before = polls;
  vi.advanceTimersByTime(10_000);
  expect(polls).toBe(before);
  expect(statuses.at(-1)).toBe("live");
});

test("closing ends the stream and its timers", () => {
  close();
  expect(Source.all[0]!.closed).toBe(true);
  expect(vi.getTimerCount()).toBe(0);
  expect(statuses.at(-1)).toBe("off");
});

test("events of runs reach their rows, other rows stay the same objects", () => {
  const runs = [
    { id: "a", status: "queued", step: 0, total_steps: 0, progress: 0 },
    { id: "b", status: "queued", step: 0, total_steps: 0, progress: 0 },
  ] as RunSummary[];
  const event = (data: Record<string, unknown>) => ({ kind: "run", run_id: "a", data }) as EventOut;
  const next = applyToRuns(runs, [event({ status: "running", total_steps: 8 }), event({ status: "running", step: 2 })]);
  expect(next[0]).toMatchObject({ status: "running", step: 2, total_steps: 8, progress: 0.25 });
  expect(next[1]).toBe(runs[1]);
  expect(applyToRuns(runs, [])).toBe(runs);
});

test("throttled work runs at once, then once per interval", () => {
  const work = vi.fn();
  const { call } = throttled(work, 1000);
  for (let i = 0; i < 5; i++) call();
  expect(work).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(1000);
  expect(work).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(5000);
  expect(work).toHaveBeenCalledTimes(2);
});
