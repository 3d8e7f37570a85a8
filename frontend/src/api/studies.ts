/** Reading studies: query keys and query options; the keys are the URL parameters. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { PlotlyFigure } from "./figures";
import { unwrap } from "./problem";
import type { RunSummary } from "./types";
import type { View } from "./view";

export const studyKeys = {
  lists: ["studies"] as const,
  study: (id: string) => ["study", id] as const,
  runs: (id: string) => ["study", id, "runs"] as const,
  drawn: (id: string) => ["study", id, "drawn"] as const,
};

export const studyList = (search: { q?: string | undefined; archived: boolean }) =>
  infiniteQueryOptions({
    queryKey: [...studyKeys.lists, search],
    queryFn: async ({ pageParam, signal }) =>
      unwrap(
        await api.GET("/api/v1/studies", {
          params: { query: { limit: 50, cursor: pageParam, q: search.q || null, archived: search.archived } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    refetchInterval: 5000,
  });

export const studyDetail = (id: string) =>
  queryOptions({
    queryKey: [...studyKeys.study(id), "detail"],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/studies/{study_id}", { params: { path: { study_id: id } }, signal })),
    // What holds a study up (no worker, a full disk, a lease that ran out) is no event of its stream.
    refetchInterval: ({ state }) => ((state.data?.counts.queued ?? 0) > 0 ? 10_000 : false),
  });

/** All runs of a study; a study has at most 2,000. */
export const studyRuns = (id: string) =>
  queryOptions({
    queryKey: studyKeys.runs(id),
    queryFn: async ({ signal }) => {
      const runs: RunSummary[] = [];
      let cursor: string | null | undefined;
      do {
        const page = unwrap(
          await api.GET("/api/v1/studies/{study_id}/runs", {
            params: { path: { study_id: id }, query: { limit: 200, cursor } },
            signal,
          }),
        );
        runs.push(...page.items);
        cursor = page.next_cursor;
      } while (cursor);
      return runs;
    },
  });

export const comparison = (id: string, view: View) =>
  queryOptions({
    queryKey: [...studyKeys.drawn(id), "comparison", view],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/studies/{study_id}/comparison", {
          params: { path: { study_id: id }, query: { ...view, curves: false } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

/** `logarithmic` concerns the chart of losses alone. */
export const figure = (id: string, name: string, view: View, logarithmic = false) =>
  queryOptions({
    queryKey: [...studyKeys.drawn(id), "figure", name, view, logarithmic],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/studies/{study_id}/figures/{name}", {
          params: { path: { study_id: id, name }, query: { ...view, log_y: logarithmic } },
          signal,
        }),
      ) as unknown as PlotlyFigure,
    placeholderData: keepPreviousData,
  });
