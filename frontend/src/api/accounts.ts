/** Who is asking, and what they may do. */
import { queryOptions, useQuery } from "@tanstack/react-query";
import { api } from "./client";
import { unwrap } from "./problem";

export const me = queryOptions({
  queryKey: ["me"],
  queryFn: async ({ signal }) => unwrap(await api.GET("/api/v1/me", { signal })),
  staleTime: 60_000,
});

/** Whether the person may queue and change studies; a viewer reads. */
export function useMayChange(): boolean {
  const { data } = useQuery(me);
  return data !== undefined && data.role !== "viewer";
}
