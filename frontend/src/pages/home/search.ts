/** What the home page keeps in its address: what is looked for, the filters, and what the list is sorted by. */
export const FILTERS = ["state", "model", "data", "person", "tag", "verdict"] as const;
export type FilterKey = (typeof FILTERS)[number];

export const COLUMNS = ["state", "name", "verdict", "model", "data", "person", "runs", "last"] as const;
export type Column = (typeof COLUMNS)[number];
export type Order = Column | `-${Column}`;

function isOrder(value: unknown): value is Order {
  return typeof value === "string" && (COLUMNS as readonly string[]).includes(value.replace(/^-/, ""));
}

export interface HomeSearch extends Partial<Record<FilterKey, string>> {
  q?: string;
  archived?: boolean;
  sort?: Order;
}

const text = (value: unknown) => (typeof value === "number" ? String(value) : value);

/** Keys that hold nothing usable are there as undefined: the router would keep the raw ones otherwise. */
export function homeSearch(raw: Record<string, unknown>): HomeSearch {
  const found: Record<string, unknown> = { archived: raw.archived === true ? true : undefined };
  for (const key of ["q", ...FILTERS]) {
    const value = text(raw[key]);
    found[key] = typeof value === "string" && value ? value.slice(0, 200) : undefined;
  }
  found.sort = isOrder(raw.sort) ? raw.sort : undefined;
  return found as HomeSearch;
}
