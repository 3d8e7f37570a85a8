/** How a language model reads its rows: by which template, what of them is learned, what becomes of long ones. */
import { NativeSelect } from "@mantine/core";
import type { StudySpec } from "../../api/types";
import type { PartProps } from "./part";
import { problemAt } from "./problems";

type Training = StudySpec["training"];

const FIELDS = [
  {
    key: "template",
    label: "Written as",
    hint: "How the turns of a conversation are marked",
    data: [
      { value: "", label: "as the model is used to" },
      { value: "model", label: "the model's chat template" },
      { value: "chatml", label: "ChatML" },
      { value: "alpaca", label: "Alpaca style" },
      { value: "plain", label: "plain lines" },
    ],
  },
  {
    key: "loss_on",
    label: "Learned of a row",
    hint: "What the loss counts",
    data: [
      { value: "", label: "every answer" },
      { value: "last_assistant", label: "the last answer" },
      { value: "all", label: "everything" },
    ],
  },
  {
    key: "truncate",
    label: "Rows that are too long",
    hint: "Longer than the longest row",
    data: [
      { value: "end", label: "are cut at their end" },
      { value: "oldest_turns", label: "lose their oldest turns" },
      { value: "drop", label: "are left out" },
    ],
  },
] as const;

export function ChatFields({ draft, onChange, problems }: PartProps) {
  return FIELDS.map(({ key, label, hint, data }) => (
    <NativeSelect
      key={key}
      label={label}
      description={hint}
      data={[...data]}
      value={shown(draft.training[key])}
      onChange={({ currentTarget }) => {
        const value = (currentTarget.value || null) as Training[typeof key];
        onChange({ ...draft, training: { ...draft.training, [key]: value } });
      }}
      error={problemAt(problems, `/training/${key}`)}
    />
  ));
}

/** `assistant` and `completion` are other names of what the list offers. */
function shown(value: string | null | undefined): string {
  if (value === "completion") return "last_assistant";
  return value === "assistant" || !value ? "" : value;
}
