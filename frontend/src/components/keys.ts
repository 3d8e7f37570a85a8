/** Keyboard: one listener for the page; keys typed into a field stay in the field. */
import { useEffect, useEffectEvent } from "react";

export const KEYS: [string, string][] = [
  ["/", "Search or filter on this page"],
  ["j k", "Next or previous study, or arm"],
  ["x", "Show or hide the marked arm"],
  ["c", "Compare with the marked arm"],
  ["?", "This list"],
  ["Esc", "Close, or clear the search"],
];

/** Calls the handler of a pressed key (`event.key` as the name) unless a field, a menu or a dialog has the focus. */
export function useKeys(handlers: Record<string, () => void>): void {
  const press = useEffectEvent((event: KeyboardEvent) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const target = event.target as HTMLElement | null;
    if (target?.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu], [role=listbox]"))
      return;
    const handler = handlers[event.key];
    if (handler === undefined) return;
    event.preventDefault();
    handler();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => press(event);
    window.addEventListener("keydown", listen);
    return () => window.removeEventListener("keydown", listen);
  }, []);
}
