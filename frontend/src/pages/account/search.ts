/** Where to go after signing in: an address of this product only. */
export interface LoginSearch {
  to?: string;
}

export function loginSearch(raw: Record<string, unknown>): LoginSearch {
  const to = typeof raw.to === "string" ? raw.to : "";
  return /^\/(?![/\\])/.test(to) ? { to } : {};
}
