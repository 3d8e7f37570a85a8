/** Reading what a share link shows, by its secret alone. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";
import { api } from "./client";
import type { PlotlyFigure } from "./figures";
import { unwrap } from "./problem";
import { orPlainly, type Look, type View } from "./view";

export const sharedKey = (secret: string) => ["shared", secret] as const;

export const sharedStudy = (secret: string) =>
  queryOptions({
    queryKey: [...sharedKey(secret), "study"],
    queryFn: async ({ signal }) =>
      unwrap(await api.GET("/api/v1/shared/{secret}", { params: { path: { secret } }, signal })),
  });

export const sharedComparison = (secret: string, view: View) =>
  queryOptions({
    queryKey: [...sharedKey(secret), "comparison", view],
    queryFn: ({ signal }) =>
      orPlainly(view, async (query) =>
        unwrap(await api.GET("/api/v1/shared/{secret}/comparison", { params: { path: { secret }, query }, signal })),
      ),
    placeholderData: keepPreviousData,
  });

export const sharedFigure = (secret: string, name: string, view: View, look: Look) =>
  queryOptions({
    queryKey: [...sharedKey(secret), "figure", name, view, look],
    queryFn: ({ signal }) =>
      orPlainly(
        view,
        async (query) =>
          unwrap(
            await api.GET("/api/v1/shared/{secret}/figures/{name}", {
              params: { path: { secret, name }, query: { ...query, ...look } },
              signal,
            }),
          ) as unknown as PlotlyFigure,
      ),
    placeholderData: keepPreviousData,
  });
