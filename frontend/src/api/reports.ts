/** A study's report, read and saved; it lies among what is drawn from the study, so that a live one follows the stream. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";
import { studyKeys } from "./studies";
import { at } from "./root";

export type Report = components["schemas"]["ReportOut"];
export type ReportDraft = components["schemas"]["ReportIn"];

export const reportKey = (studyId: string) => [...studyKeys.drawn(studyId), "report"] as const;

export const studyReport = (studyId: string) =>
  queryOptions({
    queryKey: reportKey(studyId),
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/studies/{study_id}/report", { params: { path: { study_id: studyId } }, signal })),
  });

export const saveReport = async (studyId: string, draft: ReportDraft) =>
  unwrap(await api.PUT("/api/v1/studies/{study_id}/report", { params: { path: { study_id: studyId } }, body: draft }));

export const reportFile = (studyId: string) => at(`/api/v1/studies/${encodeURIComponent(studyId)}/report.html`);
