/** The reader's choice of columns, kept in the browser; until they choose, settings that differ between arms are shown. */
import { useLocalStorage } from "@mantine/hooks";
import { functionalUpdate } from "@tanstack/react-table";
import { HIDDEN_AT_FIRST } from "./columns";
import type { Setting } from "./rows";

type Visibility = Record<string, boolean>;
type Update = Visibility | ((old: Visibility) => Visibility);

export function useColumns(differing: ReadonlySet<Setting>): [Visibility, (update: Update) => void] {
  const [chosen, setChosen] = useLocalStorage<Visibility>({ key: "dropscope-run-columns", defaultValue: {} });
  const usual = Object.fromEntries(HIDDEN_AT_FIRST.map((id) => [id, differing.has(id as Setting)]));
  const visibility = { ...usual, ...chosen };
  return [visibility, (update) => setChosen(functionalUpdate(update, visibility))];
}
