/** What can be chosen: methods, models, data sets, adapters to start from; and the workers. */
import { queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";
import type { DatasetList } from "./types";

const RARELY = 5 * 60_000;

export const methods = queryOptions({
  queryKey: ["methods"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/methods", { signal })),
  staleTime: RARELY,
});

export const models = queryOptions({
  queryKey: ["models"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/models", { signal })),
  staleTime: RARELY,
});

export const datasets = queryOptions({
  queryKey: ["datasets"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/datasets", { signal })) as DatasetList,
  staleTime: RARELY,
});

export const adapters = queryOptions({
  queryKey: ["adapters"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/adapters", { signal })).items,
  staleTime: RARELY,
});

/** A run's adapter, to start other runs from. */
export const addAdapter = async (artifactId: string, title: string) =>
  unwrap(await api.POST("/api/v1/adapters", { body: { artifact_id: artifactId, title } }));

export const workers = queryOptions({
  queryKey: ["workers"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/workers", { signal })),
  refetchInterval: 5000,
});
