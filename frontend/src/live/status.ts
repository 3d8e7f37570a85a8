/** Where the page's one stream stands; the header's dot shows it. */
import { useSyncExternalStore } from "react";

export type LiveStatus = "off" | "live" | "reconnecting" | "polling" | "paused";

let present: LiveStatus = "off";
const listeners = new Set<() => void>();

export function setLiveStatus(next: LiveStatus): void {
  if (next === present) return;
  present = next;
  listeners.forEach((tell) => tell());
}

export function useLiveStatus(): LiveStatus {
  return useSyncExternalStore(
    (tell) => {
      listeners.add(tell);
      return () => listeners.delete(tell);
    },
    () => present,
  );
}
