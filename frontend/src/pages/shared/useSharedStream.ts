/** Follows a live share: the stream only says that something changed, and the page reads it anew, once a second at most. */
import { useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { sharedKey } from "../../api/shared";
import { throttled } from "../../live/apply";
import { setLiveStatus } from "../../live/status";
import { openStream } from "../../live/stream";
import { at } from "../../api/root";

/** `after`: the study's `event_seq` as first read; undefined where nothing is to be followed. */
export function useSharedStream(secret: string, after: number | undefined): void {
  const client = useQueryClient();
  useEffect(() => {
    if (after === undefined) return;
    const refresh = throttled(() => {
      void client.invalidateQueries({ queryKey: [...sharedKey(secret), "comparison"] });
      void client.invalidateQueries({ queryKey: [...sharedKey(secret), "figure"] });
    });
    const close = openStream({
      address: at(`/api/v1/shared/${encodeURIComponent(secret)}/stream`),
      kinds: ["changed"],
      after,
      onEvents: refresh.call,
      onPoll: refresh.call,
      onStatus: setLiveStatus,
    });
    return () => {
      close();
      refresh.stop();
    };
  }, [client, secret, after]);
}
