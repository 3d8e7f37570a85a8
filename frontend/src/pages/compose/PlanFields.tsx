/** The plan as questions: what matters, by what, how many seeds at most, when verdicts are drawn; and what it can find. */
import { Checkbox, NativeSelect, NumberInput, SimpleGrid, Stack, TextInput } from "@mantine/core";
import { useState } from "react";
import type { StudyPreview, StudySpec } from "../../api/types";
import type { PartProps } from "./part";
import { asLooks, judgedBy, setPlan, unitOf, usualLooks, usualSize, withoutPlan } from "./planning";
import { PlanPower } from "./PlanPower";
import { problemAt } from "./problems";

export function PlanFields({ draft, onChange, problems, plan: told }: PartProps & { plan: StudyPreview["plan"] }) {
  const none = draft.plan === null;
  const plan: Partial<NonNullable<StudySpec["plan"]>> = draft.plan ?? {};
  const metrics = judgedBy(draft);
  const metric = plan.metric ?? metrics[0]?.value ?? "";
  const further = metrics.slice(1); // and one that the form does not offer, from a file
  if (metrics.every(({ value }) => value !== metric)) further.push({ value: metric, label: metric });
  const unit = unitOf(draft, metric);
  return (
    <Stack gap="sm">
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="md" verticalSpacing="sm">
        <NativeSelect
          label="Judged by"
          disabled={none}
          value={metric === metrics[0]?.value ? "" : metric}
          data={[{ value: "", label: `${metrics[0]?.label}, as usual` }, ...further]}
          onChange={({ currentTarget }) => onChange(setPlan(draft, { metric: currentTarget.value, smallest: null }))}
          error={problemAt(problems, "/plan/metric")}
        />
        <NumberInput
          label="What difference would matter?"
          description="A smaller one is called no difference"
          disabled={none}
          min={0}
          step={0.01}
          suffix={unit && ` ${unit}`}
          placeholder={usualSize(draft, metric)}
          value={plan.smallest ?? ""}
          onChange={(value) => onChange(setPlan(draft, { smallest: value === "" ? null : Number(value) }))}
          error={problemAt(problems, "/plan/smallest")}
          inputWrapperOrder={["label", "input", "error", "description"]}
        />
        <NativeSelect
          label="Each run judged"
          disabled={none}
          value={plan.clock ?? "last"}
          data={[
            { value: "last", label: "at its last evaluation" },
            { value: "stopped", label: "stopped in time" },
          ]}
          onChange={({ currentTarget }) =>
            onChange(setPlan(draft, { clock: currentTarget.value === "stopped" ? "stopped" : "last" }))
          }
          error={problemAt(problems, "/plan/clock")}
        />
        <NumberInput
          label="At most how many seeds?"
          description="You may extend up to these; further ones decide nothing"
          disabled={none}
          min={3}
          max={64}
          allowDecimal={false}
          placeholder={String(plan.race ? Math.max(12, draft.seeds) : draft.seeds)}
          value={plan.seeds ?? ""}
          onChange={(value) => onChange(setPlan(draft, { seeds: value === "" ? null : Number(value) }))}
          error={problemAt(problems, "/plan/seeds")}
          inputWrapperOrder={["label", "input", "error", "description"]}
        />
        <Looks
          key={String(none)}
          disabled={none}
          looks={plan.looks}
          usual={usualLooks(draft).join(", ")}
          problem={problemAt(problems, "/plan/looks")}
          onChange={(looks) => onChange(setPlan(draft, { looks }))}
        />
      </SimpleGrid>
      <Checkbox
        label="Race: add seeds until every arm has its verdict"
        description="Arms that have theirs get no more; at most as many seeds as above, 12 where that is empty"
        disabled={none}
        checked={plan.race ?? false}
        onChange={({ currentTarget }) => onChange(setPlan(draft, { race: currentTarget.checked }))}
        error={problemAt(problems, "/plan/race")}
      />
      <Checkbox
        label="No plan: I only explore"
        description="Numbers are shown, verdicts are not"
        checked={none}
        onChange={({ currentTarget }) => onChange(withoutPlan(draft, currentTarget.checked))}
        error={problems.find(({ pointer }) => pointer === "/plan")?.detail}
      />
      {told && <PlanPower power={told.power} unit={unit} />}
    </Stack>
  );
}

interface LooksProps {
  disabled: boolean;
  looks: number[] | null | undefined;
  usual: string;
  problem: string | undefined;
  onChange: (looks: number[] | null) => void;
}

/** Numbers of seeds with commas between them; what is typed stays as it is typed. */
function Looks({ disabled, looks, usual, problem, onChange }: LooksProps) {
  const [text, setText] = useState(looks?.join(", ") ?? "");
  const found = asLooks(text);
  return (
    <TextInput
      label="Verdicts after how many seeds?"
      description="Each look spends a part of the error that is allowed"
      disabled={disabled}
      placeholder={usual}
      value={text}
      onChange={({ currentTarget }) => {
        setText(currentTarget.value);
        const read = asLooks(currentTarget.value);
        if (read !== undefined) onChange(read);
      }}
      error={found === undefined ? "Numbers of seeds, with commas between them: 5, 12" : problem}
      inputWrapperOrder={["label", "input", "error", "description"]}
    />
  );
}
