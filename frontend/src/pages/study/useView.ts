/** The view of a study: read from the address, changed through it; the same for a study and a shared one. */
import { useNavigate, useSearch } from "@tanstack/react-router";
import { useMemo } from "react";
import type { Comparison, Metric } from "../../api/types";
import { studySearch, viewOf, type StudySearch } from "./search";

/** What arms are ranked by: the loss, where the study has not recorded what the address asks for. */
export function rankedBy(asked: Metric, compared: { data: Comparison | undefined; isPlaceholderData: boolean }) {
  return compared.isPlaceholderData ? asked : (compared.data?.metric ?? asked);
}

export function useView() {
  const search: StudySearch = useSearch({ strict: false });
  const navigate = useNavigate();
  const { baseline, metric, clock, x, band, hide } = search;
  const query = useMemo(() => viewOf({ baseline, metric, clock, x, band }), [baseline, metric, clock, x, band]);
  const hidden = useMemo<ReadonlySet<string>>(() => new Set(hide), [hide]);
  const change = (part: Partial<StudySearch>) =>
    void navigate({ to: ".", search: (old) => studySearch({ ...old, ...part }), replace: true, resetScroll: false });
  const toggle = (armId: string) => {
    const next = new Set(hidden);
    if (!next.delete(armId)) next.add(armId);
    change({ hide: [...next] });
  };
  return { search, query, hidden, change, toggle };
}
