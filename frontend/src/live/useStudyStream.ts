/** Follows one study while a page shows it: the page's only stream. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { studyCache } from "./apply";
import { setLiveStatus } from "./status";
import { openStream } from "./stream";
import { at } from "../api/root";

const KINDS = ["run", "evaluation", "study"];

/** `after`: the study's `event_seq` as first read; undefined until it is known. */
export function useStudyStream(studyId: string | undefined, after: number | undefined): void {
  const client = useQueryClient();
  const known = after !== undefined;
  useEffect(() => {
    if (studyId === undefined || after === undefined) return;
    const cache = studyCache(client, studyId);
    const close = openStream({
      address: at(`/api/v1/studies/${encodeURIComponent(studyId)}/stream`),
      kinds: KINDS,
      after,
      onEvents: cache.apply,
      onPoll: cache.refresh,
      onStatus: setLiveStatus,
    });
    return () => {
      close();
      cache.stop();
    };
    // The number only says where to begin; the stream itself keeps count from then on.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [client, studyId, known]);
}
