/** What is held out for validation: a share, whole groups, what a column says, or a file of its own. */
import { Alert, Checkbox, Group, NumberInput, SegmentedControl, Select, Text } from "@mantine/core";
import { useState } from "react";
import type { DatasetPreview } from "../../api/types";
import { problemAt } from "../compose/problems";
import { Section } from "../compose/Section";
import { DropFile } from "./DropFile";
import { setSplitBy, type Plan, type SplitBy } from "./plan";

interface SplitFormProps {
  plan: Plan;
  found: DatasetPreview;
  held: string | undefined;
  onChange: (plan: Plan) => void;
  onHeld: (upload: string | undefined) => void;
}

const WAYS: { value: SplitBy; label: string; hint: string }[] = [
  {
    value: "ratio",
    label: "A share",
    hint: "The same share of each label, drawn by what the rows say: repeats stay together.",
  },
  { value: "group", label: "By group", hint: "All rows of a group (a film, a person, a document) stay on one side." },
  { value: "column", label: "By column", hint: "A column says train or validation (also valid, val, dev, eval)." },
  { value: "file", label: "A second file", hint: "This file is trained on, another is held out." },
];

export function SplitForm({ plan, found, held, onChange, onHeld }: SplitFormProps) {
  const [by, setBy] = useState<SplitBy>(held ? "file" : "ratio");
  const needsColumn = by === "group" || by === "column";
  const column = plan.split?.column ?? null;
  const ratio = plan.split?.ratio ?? 0.2;
  const choose = (value: SplitBy) => {
    setBy(value);
    if (value !== "file" && held) onHeld(undefined);
    onChange(setSplitBy(plan, value === "file" ? "ratio" : value, null));
  };
  const problem = found.problems.find(({ pointer }) => pointer.startsWith("/split"));
  return (
    <Section title="Validation" hint={WAYS.find(({ value }) => value === by)!.hint}>
      <Group align="end" gap="md">
        <SegmentedControl
          aria-label="What is held out"
          size="xs"
          value={by}
          onChange={(value) => choose(WAYS.find((way) => way.value === value)!.value)}
          data={WAYS}
        />
        {needsColumn && (
          <Select
            size="xs"
            label={by === "group" ? "Column of the group" : "Column of the split"}
            placeholder="choose a column"
            data={[...found.columns]}
            value={column}
            onChange={(chosen) => onChange(setSplitBy(plan, by, chosen))}
            error={problemAt(found.problems, "/split/column")}
          />
        )}
        {(by === "ratio" || by === "group") && (
          <NumberInput
            size="xs"
            w={130}
            label="Held out, percent"
            min={1}
            max={90}
            value={Math.round(100 * ratio)}
            onChange={(value) => {
              const share = Number(value) / 100;
              if (share > 0 && share < 1)
                onChange({ ...plan, split: { ...plan.split, by: plan.split?.by ?? "ratio", ratio: share } });
            }}
          />
        )}
        <Checkbox
          size="xs"
          mb={8}
          label="Drop duplicate rows"
          checked={plan.drop_repeats ?? false}
          onChange={({ currentTarget }) => onChange({ ...plan, drop_repeats: currentTarget.checked })}
        />
      </Group>
      {by === "file" && !held && (
        <DropFile
          label="The file that is held out"
          hint="In the same format, with the same columns."
          onSent={(upload) => onHeld(upload.id)}
        />
      )}
      {problem && (
        <Alert color="red" mt="sm" role="alert">
          {problem.detail}
        </Alert>
      )}
      <Text size="sm" mt="sm" aria-live="polite">
        {(found.rows.train ?? 0).toLocaleString("en")} training and {(found.rows.validation ?? 0).toLocaleString("en")}{" "}
        validation rows.
      </Text>
    </Section>
  );
}
