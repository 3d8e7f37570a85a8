/** One server-sent stream: events in batches, reconnecting by itself, with polling where no stream holds. */
import type { EventOut } from "../api/types";
import type { LiveStatus } from "./status";

const BATCH_MS = 250;
const POLL_MS = 3000;
const FAILURES_BEFORE_POLLING = 3;
const LONGEST_WAIT_MS = 15_000;

export interface StreamOptions {
  /** Address of the stream, without where to begin. */
  address: string;
  kinds: readonly string[];
  /** Number of the newest event already known. */
  after: number;
  /** At most four times a second. */
  onEvents: (events: EventOut[]) => void;
  /** Called every few seconds while no stream holds. */
  onPoll: () => void;
  onStatus: (status: LiveStatus) => void;
  Source?: typeof EventSource;
}

/** Opens the stream; the returned function closes it. */
export function openStream(options: StreamOptions): () => void {
  const { address, kinds, onEvents, onPoll, onStatus, Source = EventSource } = options;
  let seen = options.after;
  let failures = 0;
  let waiting: EventOut[] = [];
  let source: EventSource | undefined;
  let flushTimer: ReturnType<typeof setTimeout> | undefined;
  let retryTimer: ReturnType<typeof setTimeout> | undefined;
  let pollTimer: ReturnType<typeof setInterval> | undefined;

  const flush = () => {
    flushTimer = undefined;
    const events = waiting;
    waiting = [];
    if (events.length > 0) onEvents(events);
  };

  const receive = (message: MessageEvent<string>) => {
    const event = JSON.parse(message.data) as EventOut;
    if (event.seq <= seen) return;
    seen = event.seq;
    waiting.push(event);
    flushTimer ??= setTimeout(flush, BATCH_MS);
  };

  const close = () => {
    source?.close();
    source = undefined;
    clearTimeout(retryTimer);
    clearInterval(pollTimer);
    pollTimer = undefined;
  };

  const connect = () => {
    source?.close();
    source = new Source(`${address}?after=${seen}`);
    for (const kind of kinds) source.addEventListener(kind, receive as EventListener);
    source.onopen = () => {
      if (failures > 0) onPoll(); // what was asked for meanwhile may have failed
      failures = 0;
      clearInterval(pollTimer);
      pollTimer = undefined;
      onStatus("live");
    };
    source.onerror = () => {
      // The browser's own retry cannot tell a refusal from a restart, so this one counts and widens its waits.
      source?.close();
      failures += 1;
      const poll = failures >= FAILURES_BEFORE_POLLING;
      onStatus(poll ? "polling" : "reconnecting");
      if (poll) pollTimer ??= setInterval(onPoll, POLL_MS);
      retryTimer = setTimeout(connect, Math.min(LONGEST_WAIT_MS, 500 * 2 ** failures));
    };
  };

  const follow = () => {
    close();
    if (document.hidden) onStatus("paused");
    else connect();
  };

  document.addEventListener("visibilitychange", follow);
  follow();
  return () => {
    document.removeEventListener("visibilitychange", follow);
    close();
    clearTimeout(flushTimer);
    onStatus("off");
  };
}
