/** Studies: query keys and query options, whose keys are the URL parameters, and what can be done with a study. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { PlotlyFigure } from "./figures";
import { unwrap } from "./problem";
import type { RunSummary, StudyExtend, StudyPatch, StudySpec, StudySummary } from "./types";
import { orPlainly, type Look, type View } from "./view";

export const studyKeys = {
  lists: ["studies"] as const,
  study: (id: string) => ["study", id] as const,
  runs: (id: string) => ["study", id, "runs"] as const,
  drawn: (id: string) => ["study", id, "drawn"] as const,
};

const pathOf = (id: string) => ({ path: { study_id: id } });

/** All studies, a screenful and then a thousand a page: the list is searched, filtered and sorted where it is looked at. */
export const studyList = (search: { archived: boolean }) =>
  infiniteQueryOptions({
    queryKey: [...studyKeys.lists, search],
    queryFn: async ({ pageParam, signal }) =>
      unwrap(
        await api.GET("/api/v1/studies", {
          params: { query: { limit: pageParam === null ? 60 : 1000, cursor: pageParam, archived: search.archived } },
          signal,
        }),
      ),
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.next_cursor,
    placeholderData: keepPreviousData,
    // Often while something is on its way, its verdict among it; else only for what other people do.
    refetchInterval: ({ state }) => (state.data?.pages.some(({ items }) => items.some(unsettled)) ? 5000 : 20_000),
  });

const unsettled = ({ counts, headline }: StudySummary) =>
  counts.queued + counts.running > 0 || headline === null || !headline.current;

export const studyDetail = (id: string) =>
  queryOptions({
    queryKey: [...studyKeys.study(id), "detail"],
    queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/studies/{study_id}", { params: pathOf(id), signal })),
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
    queryFn: ({ signal }) =>
      orPlainly(view, async (query) =>
        unwrap(
          await api.GET("/api/v1/studies/{study_id}/comparison", {
            params: { path: { study_id: id }, query: { ...query, curves: false } },
            signal,
          }),
        ),
      ),
    placeholderData: keepPreviousData,
  });

/** `logarithmic` concerns the chart of losses alone. */
export const figure = (id: string, name: string, view: View, look: Look) =>
  queryOptions({
    queryKey: [...studyKeys.drawn(id), "figure", name, view, look],
    queryFn: ({ signal }) =>
      orPlainly(
        view,
        async (query) =>
          unwrap(
            await api.GET("/api/v1/studies/{study_id}/figures/{name}", {
              params: { path: { study_id: id, name }, query: { ...query, ...look } },
              signal,
            }),
          ) as unknown as PlotlyFigure,
      ),
    placeholderData: keepPreviousData,
  });

/** What the files of its runs take on the disk. */
export const studyFiles = (id: string) =>
  queryOptions({
    queryKey: [...studyKeys.study(id), "files"],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/studies/{study_id}/files", { params: pathOf(id), signal })),
  });

/** What would become of a study, before it is queued. */
export const previewStudy = async (spec: StudySpec, signal: AbortSignal) =>
  unwrap(await api.POST("/api/v1/studies/preview", { body: spec, signal }));

/** Queues a study; sent twice under one key, it is queued once. */
export const makeStudy = async (spec: StudySpec, key: string) =>
  unwrap(await api.POST("/api/v1/studies", { body: spec, params: { header: { "idempotency-key": key } } }));

export const changeStudy = async (id: string, patch: StudyPatch) =>
  unwrap(await api.PATCH("/api/v1/studies/{study_id}", { params: pathOf(id), body: patch }));

export const extendStudy = async (id: string, more: StudyExtend) =>
  unwrap(await api.POST("/api/v1/studies/{study_id}/extend", { params: pathOf(id), body: more }));

export const cancelStudy = async (id: string) =>
  unwrap(await api.POST("/api/v1/studies/{study_id}/cancel", { params: pathOf(id) }));

export const archiveStudy = async (id: string) =>
  unwrap(await api.POST("/api/v1/studies/{study_id}/archive", { params: pathOf(id) }));

export const restoreStudy = async (id: string) =>
  unwrap(await api.POST("/api/v1/studies/{study_id}/restore", { params: pathOf(id) }));

/** Its runs are next. */
export const bringToFront = async (id: string) =>
  unwrap(await api.POST("/api/v1/studies/{study_id}/front", { params: pathOf(id) }));

export const retryFailedRuns = async (id: string) =>
  unwrap(await api.POST("/api/v1/studies/{study_id}/retry", { params: pathOf(id) }));

export const deleteStudyFiles = async (id: string) =>
  unwrap(await api.DELETE("/api/v1/studies/{study_id}/files", { params: pathOf(id) }));

/** For good: an archived study only. */
export const deleteStudy = async (id: string) =>
  unwrap(await api.DELETE("/api/v1/studies/{study_id}", { params: pathOf(id) }));
