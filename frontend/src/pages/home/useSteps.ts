/** Steps through a list with keys; the caller keeps the marked row. */
export function useSteps(length: number, marked: number, setMarked: (row: number) => void) {
  const go = (row: number) => {
    if (length > 0) setMarked(Math.max(0, Math.min(length - 1, row)));
  };
  return { next: () => go(marked + 1), previous: () => go(marked - 1) };
}
