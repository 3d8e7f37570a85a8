/** What the address of the form for a new data set says: the uploads it is made of. */
export interface AddSearch {
  upload?: string;
  held?: string;
}

export function addSearch(raw: Record<string, unknown>): AddSearch {
  return {
    ...(typeof raw.upload === "string" ? { upload: raw.upload } : {}),
    ...(typeof raw.held === "string" ? { held: raw.held } : {}),
  };
}
