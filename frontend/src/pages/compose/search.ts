/** What the form's address may say: a study to clone, a template or a data set to begin with, an adapter to start from. */
export interface ComposeSearch {
  from?: string;
  template?: string;
  start?: string;
  dataset?: string;
}

export function composeSearch(raw: Record<string, unknown>): ComposeSearch {
  return {
    ...(typeof raw.from === "string" ? { from: raw.from } : {}),
    ...(typeof raw.template === "string" ? { template: raw.template } : {}),
    ...(typeof raw.start === "string" ? { start: raw.start } : {}),
    ...(typeof raw.dataset === "string" ? { dataset: raw.dataset } : {}),
  };
}
