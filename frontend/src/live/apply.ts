/** Merges a study's events into the cache: runs at once, what is computed on the server at most once a second. */
import type { QueryClient } from "@tanstack/react-query";
import { runKeys } from "../api/runs";
import { studyKeys } from "../api/studies";
import type { EventOut, RunSummary } from "../api/types";

const REFETCH_MS = 1000;
const CARRIED = ["status", "step", "total_steps", "failure_code", "message", "cancel_requested", "attempt"] as const;

/** The runs with what the events say of them. The same list where nothing changed. */
export function applyToRuns(runs: RunSummary[], events: EventOut[]): RunSummary[] {
  const news = new Map<string, Partial<RunSummary>>();
  for (const event of events) {
    if (event.kind !== "run" || event.run_id === null) continue;
    const known = news.get(event.run_id) ?? {};
    for (const key of CARRIED) if (key in event.data) Object.assign(known, { [key]: event.data[key] });
    news.set(event.run_id, known);
  }
  if (!runs.some((run) => news.has(run.id))) return runs;
  return runs.map((run) => {
    const change = news.get(run.id);
    if (change === undefined) return run;
    const next = { ...run, ...change };
    return { ...next, progress: next.total_steps > 0 ? Math.min(1, next.step / next.total_steps) : run.progress };
  });
}

/** Calls `work` now, and then at most once per interval for all calls in between. */
export function throttled(work: () => void, interval = REFETCH_MS): { call: () => void; stop: () => void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let again = false;
  const call = () => {
    if (timer !== undefined) {
      again = true;
      return;
    }
    work();
    timer = setTimeout(() => {
      timer = undefined;
      if (again) {
        again = false;
        call();
      }
    }, interval);
  };
  return { call, stop: () => clearTimeout(timer) };
}

export interface StudyCache {
  apply: (events: EventOut[]) => void;
  refresh: () => void;
  stop: () => void;
}

export function studyCache(client: QueryClient, studyId: string): StudyCache {
  const detail = throttled(() => void client.invalidateQueries({ queryKey: [...studyKeys.study(studyId), "detail"] }));
  const drawn = throttled(() => void client.invalidateQueries({ queryKey: studyKeys.drawn(studyId) }));
  const touched = new Set<string>();
  const runs = throttled(() => {
    for (const id of touched) void client.invalidateQueries({ queryKey: runKeys.run(id) });
    touched.clear();
  });
  return {
    apply(events) {
      client.setQueryData<RunSummary[]>(studyKeys.runs(studyId), (known) => known && applyToRuns(known, events));
      for (const event of events) if (event.run_id) touched.add(event.run_id);
      runs.call();
      detail.call();
      if (events.some((event) => event.kind === "study"))
        void client.invalidateQueries({ queryKey: studyKeys.runs(studyId) });
      if (events.some((event) => event.kind !== "run" || event.data.status !== "running")) drawn.call();
    },
    refresh() {
      void client.invalidateQueries({ queryKey: studyKeys.study(studyId) });
      void client.invalidateQueries({ queryKey: ["run"] });
    },
    stop() {
      for (const work of [detail, drawn, runs]) work.stop();
    },
  };
}
