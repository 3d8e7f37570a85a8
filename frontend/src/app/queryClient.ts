/** The cache of what the server said; the stream keeps it fresh, so nothing is asked again just for a click. */
import { QueryClient } from "@tanstack/react-query";
import { ApiProblem } from "../api/problem";

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      refetchOnWindowFocus: false,
      // A refusal stays a refusal; only an unreachable or stumbling server is asked again.
      retry: (failures, error) => failures < 2 && !(error instanceof ApiProblem && error.status < 500),
    },
  },
});
