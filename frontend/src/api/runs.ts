/** Single runs: read, stopped, trained again. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { PlotlyFigure } from "./figures";
import { unwrap } from "./problem";
import type { EventOut, LogLine } from "./types";
import type { FigureKey } from "./view";

export const runKeys = { all: ["run"] as const, run: (id: string) => ["run", id] as const };

export const runDetail = (id: string) =>
  queryOptions({
    queryKey: [...runKeys.run(id), "detail"],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/runs/{run_id}", { params: { path: { run_id: id } }, signal })),
  });

export const runFigure = (id: string, name: string) =>
  queryOptions({
    queryKey: [...runKeys.run(id), "figure", name] as FigureKey,
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/runs/{run_id}/figures/{name}", { params: { path: { run_id: id, name } }, signal }),
      ) as unknown as PlotlyFigure,
  });

/** Validation losses of several runs in one chart. */
export const runsTogether = (ids: string[]) =>
  queryOptions({
    queryKey: [...runKeys.all, "together", ...ids] as FigureKey,
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/runs/{run_id}/figures/{name}", {
          params: { path: { run_id: ids[0]!, name: "validation" }, query: { beside: ids.slice(1) } },
          signal,
        }),
      ) as unknown as PlotlyFigure,
  });

export const runExamples = (id: string) =>
  queryOptions({
    queryKey: [...runKeys.run(id), "examples"],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/runs/{run_id}/examples", { params: { path: { run_id: id } }, signal })),
  });

export const runLogs = (id: string) =>
  queryOptions({
    queryKey: [...runKeys.run(id), "logs"],
    queryFn: async ({ signal }) => {
      const lines: LogLine[] = [];
      let cursor: string | null | undefined;
      do {
        const page = unwrap(
          await api.GET("/api/v1/runs/{run_id}/logs", {
            params: { path: { run_id: id }, query: { limit: 200, cursor } },
            signal,
          }),
        );
        lines.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor && lines.length < 5000);
      return lines;
    },
  });

export const runEvents = (id: string) =>
  queryOptions({
    queryKey: [...runKeys.run(id), "events"],
    queryFn: async ({ signal }) => {
      const events: EventOut[] = [];
      let cursor: string | null | undefined;
      do {
        const page = unwrap(
          await api.GET("/api/v1/runs/{run_id}/events", {
            params: { path: { run_id: id }, query: { limit: 200, cursor } },
            signal,
          }),
        );
        events.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor && events.length < 2000);
      return events;
    },
  });

export const runArtifacts = (id: string) =>
  queryOptions({
    queryKey: [...runKeys.run(id), "artifacts"],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/runs/{run_id}/artifacts", { params: { path: { run_id: id } }, signal })).items,
  });

export const changeRun = async (id: string, verb: "cancel" | "retry") =>
  unwrap(await api.POST(`/api/v1/runs/{run_id}/${verb}`, { params: { path: { run_id: id } } }));
