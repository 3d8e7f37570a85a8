/** Which tab of a run is open. */
export const RUN_TABS = ["curves", "examples", "config", "log", "history", "artifacts"] as const;
export type RunTab = (typeof RUN_TABS)[number];

export interface RunSearch {
  tab?: RunTab | undefined;
}

export function runSearch(raw: Record<string, unknown>): RunSearch {
  const tab = RUN_TABS.find((name) => name === raw.tab);
  return { tab: tab === "curves" ? undefined : tab }; // undefined: the router would keep a wrong one otherwise
}
