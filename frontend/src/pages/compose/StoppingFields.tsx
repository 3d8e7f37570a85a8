/** When a run stops and which of its adapters are kept. */
import { NativeSelect, NumberInput } from "@mantine/core";
import type { StudySpec } from "../../api/types";
import type { PartProps } from "./part";
import { problemAt } from "./problems";

type Training = StudySpec["training"];

const KEEP: { value: Training["keep"]; label: string }[] = [
  { value: "both", label: "of both" },
  { value: "best", label: "of the best evaluation" },
  { value: "last", label: "of the last step" },
];
const SCORES: Record<StudySpec["task"], string> = {
  classification: "validation accuracy",
  regression: "validation Pearson",
  causal_lm: "validation accuracy",
};

export function StoppingFields({ draft, onChange, problems }: PartProps) {
  const { keep, keep_by, patience, min_delta } = draft.training;
  const set = (part: Partial<Training>) => onChange({ ...draft, training: { ...draft.training, ...part } });
  const by: { value: Training["keep_by"]; label: string }[] = [
    { value: "loss", label: "validation loss" },
    { value: "score", label: SCORES[draft.task] },
  ];
  return (
    <>
      <NativeSelect
        label="Adapters kept"
        description="Best and last are compared either way"
        data={KEEP}
        value={keep}
        onChange={({ currentTarget }) => set({ keep: KEEP.find(({ value }) => value === currentTarget.value)!.value })}
        error={problemAt(problems, "/training/keep")}
      />
      <NativeSelect
        label="Best by"
        description="What makes an evaluation the best"
        data={by}
        value={keep_by}
        onChange={({ currentTarget }) => set({ keep_by: by.find(({ value }) => value === currentTarget.value)!.value })}
        error={problemAt(problems, "/training/keep_by")}
      />
      <NumberInput
        label="Stop early after"
        description="Evaluations without improvement; empty: never"
        min={1}
        allowDecimal={false}
        value={patience ?? ""}
        onChange={(value) => set(value === "" ? { patience: null, min_delta: 0 } : { patience: Number(value) })}
        error={problemAt(problems, "/training/patience")}
      />
      <NumberInput
        label="Improvement"
        description={patience ? "Better by more than this, as kept by" : "Counts once a run may stop early"}
        min={0}
        step={0.005}
        disabled={!patience}
        value={min_delta}
        onChange={(value) => typeof value === "number" && set({ min_delta: value })}
        error={problemAt(problems, "/training/min_delta")}
      />
    </>
  );
}
