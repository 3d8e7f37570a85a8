/** The share links of a study: made, counted, taken back. What such a link shows is read in `shared.ts`. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";
import type { components } from "./schema";

export const studyShares = (studyId: string) =>
  queryOptions({
    queryKey: ["shares", studyId],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/shares", { params: { query: { study_id: studyId } }, signal })).items,
  });

export const makeShare = async (body: components["schemas"]["ShareCreate"]) =>
  unwrap(await api.POST("/api/v1/shares", { body }));

export const revokeShare = async (id: string) =>
  unwrap(await api.DELETE("/api/v1/shares/{share_id}", { params: { path: { share_id: id } } }));
