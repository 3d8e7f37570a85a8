/** Figures of one group share the hovered x: the gap below answers to the losses above it. */
import type { Plotly } from "./plotly";

const groups = new Map<string, Set<HTMLElement>>();

/** Joins a group; the returned function leaves it. */
export function joinHoverGroup(group: string, element: HTMLElement): () => void {
  const members = groups.get(group) ?? new Set();
  members.add(element);
  groups.set(group, members);
  return () => members.delete(element);
}

/** Shows x in every other figure of the group; without x, hides it there. */
export function shareHover(plotly: Plotly, group: string, from: HTMLElement, x: number | undefined): void {
  for (const element of groups.get(group) ?? []) {
    if (element === from || !element.isConnected) continue;
    if (x === undefined) plotly.Fx.unhover(element);
    else plotly.Fx.hover(element, { xval: x }, "xy", true);
  }
}
