/** What the home page keeps in its address. */
export interface HomeSearch {
  q?: string;
  archived?: boolean;
}

export function homeSearch(raw: Record<string, unknown>): HomeSearch {
  return {
    ...(typeof raw.q === "string" && raw.q ? { q: raw.q.slice(0, 200) } : {}),
    ...(raw.archived === true ? { archived: true } : {}),
  };
}
