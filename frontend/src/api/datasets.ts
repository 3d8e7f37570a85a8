/** Single data sets and the uploads they are made of; which ones there are is read in `catalogue.ts`. */
import { infiniteQueryOptions, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";
import type { paths } from "./schema";
import type { CommitPlan, DatasetFacts, DatasetPreview, Rendered, UploadPreview } from "./types";

type RenderedAsked = paths["/api/v1/datasets/{dataset_id}/rendered"]["get"]["parameters"]["query"];

const pathOf = (uploadId: string) => ({ path: { upload_id: uploadId } });

export const datasetFacts = (id: string) =>
  queryOptions({
    queryKey: ["datasets", id],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: id } }, signal }),
      ) as DatasetFacts,
  });

export const datasetRows = (id: string, split: "train" | "validation") =>
  infiniteQueryOptions({
    queryKey: ["datasets", id, "rows", split],
    queryFn: async ({ pageParam, signal }) =>
      unwrap(
        await api.GET("/api/v1/datasets/{dataset_id}/rows", {
          params: { path: { dataset_id: id }, query: { split, limit: 25, cursor: pageParam } },
          signal,
        }),
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
  });

/** What a model reads of some rows. */
export const renderedRows = (id: string, asked: RenderedAsked) =>
  queryOptions({
    queryKey: ["datasets", id, "rendered", asked],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.GET("/api/v1/datasets/{dataset_id}/rendered", {
          params: { path: { dataset_id: id }, query: asked },
          signal,
        }),
      ) as Rendered,
  });

export const deleteDataset = async (id: string) =>
  unwrap(await api.DELETE("/api/v1/datasets/{dataset_id}", { params: { path: { dataset_id: id } } }));

/** Begins an upload; its bytes follow in pieces. */
export const beginUpload = async (name: string, bytes: number) =>
  unwrap(await api.POST("/api/v1/uploads", { body: { name, bytes } }));

export const readUpload = async (id: string, signal?: AbortSignal) =>
  unwrap(await api.GET("/api/v1/uploads/{upload_id}", { params: pathOf(id), signal }));

export const uploadDetail = (id: string) =>
  queryOptions({ queryKey: ["uploads", id], queryFn: ({ signal }) => readUpload(id, signal) });

/** Whatever the server says of it: what is given up is not waited for. */
export const forgetUpload = (id: string) => api.DELETE("/api/v1/uploads/{upload_id}", { params: pathOf(id) });

/** What would become of an upload. */
export const uploadPreview = (id: string, plan: UploadPreview) =>
  queryOptions({
    queryKey: ["uploads", id, "preview", plan],
    queryFn: async ({ signal }) =>
      unwrap(
        await api.POST("/api/v1/uploads/{upload_id}/preview", {
          params: pathOf(id),
          body: plan,
          signal,
        }),
      ) as DatasetPreview,
  });

/** Makes the data set. */
export const commitUpload = async (id: string, body: CommitPlan) =>
  unwrap(await api.POST("/api/v1/uploads/{upload_id}/commit", { params: pathOf(id), body })) as DatasetFacts;
