/** Times and durations in words, through Intl. */

const MOMENT = new Intl.DateTimeFormat(undefined, { dateStyle: "medium", timeStyle: "short" });
const CLOCK = new Intl.DateTimeFormat(undefined, { timeStyle: "medium" });
const RELATIVE = new Intl.RelativeTimeFormat("en", { numeric: "auto", style: "short" });

/** Date and time in the reader's own zone. */
export function moment(iso: string): string {
  return MOMENT.format(new Date(iso));
}

/** Time of day only, for log lines. */
export function clock(iso: string): string {
  return CLOCK.format(new Date(iso));
}

/** "3 min. ago". A moment ahead of this machine's clock reads as "now": clocks differ, and nobody gains by knowing. */
export function ago(iso: string | null | undefined, now = Date.now()): string {
  if (!iso) return "never";
  const seconds = Math.max(0, (now - new Date(iso).getTime()) / 1000);
  if (seconds < 10) return "now";
  if (seconds < 60) return RELATIVE.format(-Math.round(seconds), "second");
  if (seconds < 3600) return RELATIVE.format(-Math.round(seconds / 60), "minute");
  if (seconds < 86400) return RELATIVE.format(-Math.round(seconds / 3600), "hour");
  return RELATIVE.format(-Math.round(seconds / 86400), "day");
}

/** Seconds as "42 s", "3 min 20 s", "2 h 5 min". */
export function duration(seconds: number | null | undefined): string {
  if (seconds === null || seconds === undefined || !Number.isFinite(seconds)) return "–";
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min${whole % 60 ? ` ${whole % 60} s` : ""}`;
  return `${Math.floor(whole / 3600)} h${Math.floor((whole % 3600) / 60) ? ` ${Math.floor((whole % 3600) / 60)} min` : ""}`;
}

/** Time left as "about 42 s", and "a moment" for what is nearly done. */
export function timeLeft(seconds: number): string {
  return seconds < 1 ? "a moment" : `about ${duration(seconds)}`;
}

const UNITS = [
  ["s", 1, 90],
  ["min", 60, 5400],
  ["h", 3600, Infinity],
] as const;

/** A range of seconds in the unit of its upper end, as "3–6 min". */
export function between(low: number, high: number): string {
  const [unit, size] = UNITS.find(([, , most]) => high < most) ?? UNITS[2];
  const [from, to] = [low / size, high / size].map((value) => (value < 3 ? value.toFixed(1) : value.toFixed(0)));
  return from === to ? `${to} ${unit}` : `${from}–${to} ${unit}`;
}
