/** Every training, row and adapter setting as a field; its code comes when the fields are asked for. */
import { Checkbox, NativeSelect, NumberInput, SimpleGrid, TagsInput } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { models } from "../../api/catalogue";
import type { StudySpec } from "../../api/types";
import { ChatFields } from "./ChatFields";
import type { PartProps } from "./part";
import { problemAt } from "./problems";
import { StoppingFields } from "./StoppingFields";
import { isTuned, setTestRows, tuned, untuned } from "./tuning";

type Training = StudySpec["training"];
type NumberKey = Exclude<
  keyof Training,
  "precision" | "fp32_loss" | "keep" | "keep_by" | "patience" | "template" | "loss_on" | "truncate" | "schedule"
>;

const TRAINING: { key: NumberKey; label: string; hint: string; step: number }[] = [
  { key: "learning_rate", label: "Learning rate", hint: "Peak, after a linear warm-up", step: 0.0005 },
  { key: "epochs", label: "Epochs", hint: "Passes over the drawn training rows", step: 1 },
  { key: "batch_size", label: "Batch size", hint: "Rows per optimizer step", step: 1 },
  { key: "evaluations", label: "Evaluations", hint: "Evenly spaced, the last at the end", step: 1 },
  { key: "weight_decay", label: "Weight decay", hint: "AdamW", step: 0.01 },
  { key: "warmup_ratio", label: "Warm-up", hint: "Share of the steps", step: 0.01 },
  { key: "gradient_clip", label: "Gradient clip", hint: "Largest norm", step: 0.1 },
  { key: "label_smoothing", label: "Label smoothing", hint: "Weight of each label spread over all", step: 0.05 },
  { key: "max_length", label: "Longest row", hint: "Tokens a row is cut to", step: 16 },
];

const ROWS = [
  { key: "train_rows", label: "Training rows", hint: "Drawn anew for each seed; empty: all" },
  { key: "validation_rows", label: "Validation rows", hint: "The same for every seed; empty: all" },
  { key: "test_rows", label: "Test rows", hint: "Held out for reporting; nothing is chosen on them" },
] as const;

export function TrainingFields(part: PartProps) {
  const { draft, onChange, problems } = part;
  return (
    <SimpleGrid cols={{ base: 2, sm: 3, md: 4 }} spacing="md" verticalSpacing="sm">
      {ROWS.map(({ key, label, hint }) => (
        <NumberInput
          key={key}
          label={label}
          description={hint}
          min={2}
          value={draft[key] ?? ""}
          onChange={(value) => {
            const rows = value === "" ? null : Number(value);
            onChange(key === "test_rows" ? setTestRows(draft, rows) : { ...draft, [key]: rows });
          }}
          error={problemAt(problems, `/${key}`)}
        />
      ))}
      {TRAINING.map(({ key, label, hint, step }) => (
        <NumberInput
          key={key}
          label={label}
          description={hint}
          step={step}
          min={0}
          value={draft.training[key]}
          onChange={(value) =>
            typeof value === "number" && onChange({ ...draft, training: { ...draft.training, [key]: value } })
          }
          error={problemAt(problems, `/training/${key}`)}
        />
      ))}
      {draft.test_rows && (
        <Checkbox
          label="Each method at its best"
          description="Four settings of each, chosen on validation rows, told on test rows"
          checked={isTuned(draft)}
          onChange={({ currentTarget }) => onChange(currentTarget.checked ? tuned(draft) : untuned(draft))}
        />
      )}
      <StoppingFields {...part} />
      {draft.task === "causal_lm" && <ChatFields {...part} />}
      <NativeSelect
        label="Precision"
        description="auto: timed once on the worker"
        data={["auto", "bf16", "fp32"]}
        value={draft.training.precision}
        onChange={({ currentTarget }) =>
          onChange({
            ...draft,
            training: { ...draft.training, precision: currentTarget.value as Training["precision"] },
          })
        }
        error={problemAt(problems, "/training/precision")}
      />
      <NativeSelect
        label="Schedule"
        description="Of the rate, after its warm-up"
        data={["linear", "cosine", "constant"]}
        value={draft.training.schedule}
        onChange={({ currentTarget }) =>
          onChange({ ...draft, training: { ...draft.training, schedule: currentTarget.value as Training["schedule"] } })
        }
        error={problemAt(problems, "/training/schedule")}
      />
      <Targets {...part} />
      <Checkbox
        label="Measure the end in fp32"
        description="What an adapter is held against; off is a little faster"
        checked={draft.training.fp32_loss}
        onChange={({ currentTarget }) =>
          onChange({ ...draft, training: { ...draft.training, fp32_loss: currentTarget.checked } })
        }
        error={problemAt(problems, "/training/fp32_loss")}
      />
    </SimpleGrid>
  );
}

function Targets({ draft, onChange, problems }: PartProps) {
  const { data: known } = useSuspenseQuery(models);
  const model = known.items.find((item) => item.id === draft.model);
  return (
    <TagsInput
      label="Adapted modules"
      description="Names of linear modules"
      data={[...new Set(model?.linear_modules.map((name) => name.split(".").at(-1) ?? name))]}
      placeholder={draft.lora.target_modules?.length ? "" : model?.default_target_modules.join(", ")}
      value={draft.lora.target_modules ?? []}
      onChange={(names) =>
        onChange({ ...draft, lora: { ...draft.lora, target_modules: names.length > 0 ? names : null } })
      }
      error={problemAt(problems, "/lora/target_modules")}
    />
  );
}
