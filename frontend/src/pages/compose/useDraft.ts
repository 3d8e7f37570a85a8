/** The study that is being written, kept in the tab for as long as it is not queued: leaving the form loses nothing. */
import { useEffect, useRef, useState } from "react";
import type { StudySpec } from "../../api/types";

const KEY = "dropscope-draft";

interface Kept {
  /** What the form began with: its address, whose draft alone comes back there. */
  address: string;
  draft: StudySpec;
}

/** The draft that was left at this address; undefined where there is none, or nothing that could be one. */
export function keptDraft(address: string): StudySpec | undefined {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "null") as Kept | null;
    const whole = kept?.address === address && Array.isArray(kept.draft.arms) && typeof kept.draft.model === "string";
    return whole ? kept.draft : undefined;
  } catch {
    return undefined;
  }
}

function keep(kept: Kept | undefined): void {
  try {
    if (kept) sessionStorage.setItem(KEY, JSON.stringify(kept));
    else sessionStorage.removeItem(KEY);
  } catch {
    // A browser that keeps nothing: the draft lives as long as the form.
  }
}

export function useDraft(start: StudySpec, address: string) {
  const [kept] = useState(() => keptDraft(address));
  const [draft, setDraft] = useState(kept ?? start);
  const [restored, setRestored] = useState(kept !== undefined);
  const queued = useRef(false);
  useEffect(() => {
    if (draft !== start && !queued.current) keep({ address, draft });
  }, [draft, start, address]);
  return {
    draft,
    setDraft,
    restored,
    startOver: () => {
      keep(undefined);
      setDraft(start);
      setRestored(false);
    },
    forget: () => {
      queued.current = true;
      keep(undefined);
    },
  };
}
