/** An adapter that every run goes on from; shown where there is one for the chosen model. */
import { Select } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { adapters } from "../../api/catalogue";
import { setStart } from "./draft";
import type { PartProps } from "./part";
import { problemAt } from "./problems";

export function StartFrom({ draft, onChange, problems }: PartProps) {
  const { data: known = [] } = useQuery(adapters);
  const fitting = known.filter((adapter) => adapter.model.id === draft.model);
  const named = draft.start_from ?? null;
  if (fitting.length === 0 && named === null) return null;
  const choices = fitting.map(({ id, title, rank, alpha }) => ({
    value: id,
    label: `${title} (rank ${rank}, alpha ${alpha})`,
  }));
  if (named !== null && !fitting.some(({ id }) => id === named)) choices.push({ value: named, label: named });
  return (
    <Select
      label="Start from"
      description="Every run goes on from this adapter, at its rank; empty: from a fresh one"
      placeholder="A fresh adapter"
      clearable
      data={choices}
      value={named}
      onChange={(id) => onChange(setStart(draft, fitting.find((adapter) => adapter.id === id) ?? null))}
      error={problemAt(problems, "/start_from")}
    />
  );
}
