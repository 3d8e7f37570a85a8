/** What a study's runs say of every held-out row: summed up for each arm, and row by row. */
import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";
import { studyKeys } from "./studies";
import type { Clock } from "./types";

export interface LedgerPlace {
  clock: Clock;
  split: "validation" | "test";
  baseline?: string | undefined;
}

export const PAGE = 10;

export const studyLedger = (id: string, place: LedgerPlace) =>
  queryOptions({
    queryKey: [...studyKeys.drawn(id), "ledger", place],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/studies/{study_id}/ledger", {
          params: { path: { study_id: id }, query: place },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
  });

export const ledgerRows = (id: string, { clock, split }: LedgerPlace) =>
  infiniteQueryOptions({
    queryKey: [...studyKeys.drawn(id), "ledger", "rows", clock, split],
    queryFn: async ({ pageParam, signal }) =>
      unwrap(
        await api.GET("/api/v1/studies/{study_id}/ledger/rows", {
          params: { path: { study_id: id }, query: { clock, split, limit: PAGE, offset: pageParam } },
          signal,
        }),
      ),
    initialPageParam: 0,
    getNextPageParam: ({ total }, pages) => (pages.length * PAGE < total ? pages.length * PAGE : null),
    placeholderData: keepPreviousData,
  });

export type RowOrder = "apart" | "worst" | "best";

/** What single runs say of held-out rows at their last step, each by itself. */
export const rowsOfRuns = (studyId: string, runIds: string[], order: RowOrder, limit: number) =>
  queryOptions({
    queryKey: [...studyKeys.drawn(studyId), "ledger", "runs", runIds, order, limit],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/studies/{study_id}/ledger/rows", {
          params: { path: { study_id: studyId }, query: { run_id: runIds, order, limit } },
          signal,
        }),
      ),
    placeholderData: keepPreviousData,
    retry: false,
  });
