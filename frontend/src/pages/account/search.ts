/** Where to go after signing in: an address of this product only. */
export interface LoginSearch {
  to?: string;
}

export function loginSearch(raw: Record<string, unknown>): LoginSearch {
  let to = typeof raw.to === "string" ? raw.to : "";
  // Several refusals at once each lead here, the later ones from here: where the first one came from is what counts.
  while (/^\/login(?![^?#])/.test(to)) to = new URLSearchParams(to.split("?")[1] ?? "").get("to") ?? "";
  return /^\/(?![/\\])/.test(to) ? { to } : {};
}
