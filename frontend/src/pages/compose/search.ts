/** What the form's address may say: a study to clone, or a template to begin with. */
export interface ComposeSearch {
  from?: string;
  template?: string;
}

export function composeSearch(raw: Record<string, unknown>): ComposeSearch {
  return {
    ...(typeof raw.from === "string" ? { from: raw.from } : {}),
    ...(typeof raw.template === "string" ? { template: raw.template } : {}),
  };
}
