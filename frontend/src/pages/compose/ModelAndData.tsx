/** Name, model and data set, with the facts that matter for the choice. */
import { Select, SimpleGrid, Skeleton, Text, TextInput } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { datasets, models } from "../../api/catalogue";
import type { Absent, DatasetFacts, ModelFacts } from "../../api/types";
import { Warnings } from "../../components/Warnings";
import { compact, count } from "../../format/numbers";
import { setDataset, setModel } from "./draft";
import type { PartProps } from "./part";
import { problemAt } from "./problems";
import { Section } from "./Section";
import { StartFrom } from "./StartFrom";
import { suggestedName } from "./usePreview";

const AlsoMeasured = lazy(() => import("./AlsoMeasured").then((module) => ({ default: module.AlsoMeasured })));
const TASKS = { classification: "classification", regression: "regression", causal_lm: "text generation" };

export function ModelAndData(part: PartProps) {
  const { draft, onChange, problems } = part;
  const { data: known } = useSuspenseQuery(models);
  const { data: sets } = useSuspenseQuery(datasets);
  const [typed, setTyped] = useState("");
  const model = known.items.find((item) => item.id === draft.model);
  const dataset = sets.items.find((item) => item.id === draft.dataset);
  return (
    <Section title="Model and data">
      <TextInput
        label="Name"
        placeholder={suggestedName(draft)}
        value={draft.name}
        maxLength={200}
        onChange={(event) => onChange({ ...draft, name: event.currentTarget.value })}
        error={problemAt(problems, "/name")}
        mb="md"
      />
      <SimpleGrid cols={{ base: 1, sm: 2 }}>
        <div>
          <Select
            label="Model"
            searchable
            allowDeselect={false}
            data={[...choices(known.items, known.missing), ...onTheHub(known.items, [draft.model, typed])]}
            searchValue={typed}
            onSearchChange={setTyped}
            renderOption={({ option }) => (
              <Choice label={option.label} warnings={warningsOf(known.items, option.value)} />
            )}
            value={draft.model || null}
            onChange={(id) => id && onChange(setModel(draft, id))}
            error={problemAt(problems, "/model")}
            nothingFoundMessage="No such model here; give its name on the hub, owner/name, or add a folder with dropscope model add"
          />
          {model && <Facts text={modelFacts(model)} />}
          {model && <Warnings label={`Warnings of ${model.title}`} sentences={model.warnings} />}
        </div>
        <div>
          <Select
            label="Data set"
            searchable
            allowDeselect={false}
            data={choices(sets.items, sets.missing)}
            renderOption={({ option }) => (
              <Choice label={option.label} warnings={warningsOf(sets.items, option.value)} />
            )}
            value={draft.dataset || null}
            onChange={(id) => {
              const chosen = sets.items.find((item) => item.id === id);
              if (chosen) onChange(setDataset(draft, chosen));
            }}
            error={problemAt(problems, "/dataset") ?? problemAt(problems, "/task")}
            nothingFoundMessage="No such data set here; add one with dropscope data add"
          />
          {dataset && <Facts text={dataFacts(dataset)} />}
          {dataset && <Warnings label={`Warnings of ${dataset.title}`} sentences={dataset.warnings} />}
        </div>
        <StartFrom {...part} />
      </SimpleGrid>
      <Suspense fallback={<Skeleton height={80} mt="md" />}>
        <AlsoMeasured {...part} />
      </Suspense>
    </Section>
  );
}

function Facts({ text }: { text: string }) {
  return (
    <Text size="xs" c="dimmed" mt={6}>
      {text}
    </Text>
  );
}

/** A line of a list to choose from, with what should be known before it is chosen. */
function Choice({ label, warnings }: { label: string; warnings: string[] }) {
  return (
    <div>
      {label}
      <Warnings label={`Warnings of ${label}`} sentences={warnings} />
    </div>
  );
}

function warningsOf(items: { id: string; warnings: string[] }[], id: string): string[] {
  return items.find((item) => item.id === id)?.warnings ?? [];
}

function choices(items: { id: string; title: string }[], missing: Absent[]) {
  return [
    ...items.map(({ id, title }) => ({ value: id, label: title })),
    ...missing.map(({ id, title }) => ({ value: id, label: `${title} (not on this machine)`, disabled: true })),
  ];
}

/** Names that can only mean a model of the public hub; the preview says how they are fetched. */
function onTheHub(items: { id: string; title: string }[], names: string[]) {
  const known = new Set(items.flatMap(({ id, title }) => [id, title]));
  return [...new Set(names)]
    .filter((name) => /^[\w][\w.-]*\/[\w][\w.-]*$/.test(name) && !known.has(name))
    .map((name) => ({ value: name, label: name }));
}

function modelFacts(model: ModelFacts): string {
  const tasks = model.tasks.map((task) => TASKS[task]).join(", ");
  return `${model.family}, ${count(model.layers, "layer")}, ${compact(model.parameters)} parameters, up to ${model.context_length} tokens · ${tasks} · ${model.licence}`;
}

function dataFacts(dataset: DatasetFacts): string {
  const labels = dataset.label_names.length > 0 ? ` · ${dataset.label_names.slice(0, 6).join(", ")}` : "";
  const { train = 0, validation = 0 } = dataset.rows;
  return `${TASKS[dataset.task]} · ${train.toLocaleString("en")} training and ${validation.toLocaleString("en")} validation rows${labels} · ${dataset.licence}`;
}
