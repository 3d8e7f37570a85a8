/** The server's preview of a draft, a moment after the last change. */
import { useDebouncedValue } from "@mantine/hooks";
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { previewStudy } from "../../api/studies";
import type { StudySpec } from "../../api/types";
import { problemsOf } from "./problems";

const REST_MS = 300;

export function usePreview(draft: StudySpec) {
  const [spec] = useDebouncedValue(draft, REST_MS);
  const ready = spec.model !== "" && spec.dataset !== "" && spec.arms.length > 0;
  const asked = useQuery({
    queryKey: ["preview", spec],
    queryFn: ({ signal }) => previewStudy(named(spec), signal),
    enabled: ready,
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    retry: false,
  });
  return {
    preview: asked.isError ? undefined : asked.data,
    problems: ready ? problemsOf(asked.data, asked.error) : [],
    warnings: ready && !asked.isError ? (asked.data?.warnings ?? []) : [],
    error: asked.error,
    pending: asked.isFetching || spec !== draft,
    ready,
  };
}

/** A study under construction may lack its name; the preview needs one. */
export function named(spec: StudySpec): StudySpec {
  return spec.name.trim() ? spec : { ...spec, name: suggestedName(spec) };
}

export function suggestedName(spec: StudySpec): string {
  return `Dropout on ${spec.dataset || "data"} with ${spec.model || "a model"}`;
}
