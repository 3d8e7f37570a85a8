/** The task, which column is what, and the first rows to see it by. */
import { Alert, SegmentedControl, Select, SimpleGrid, Text } from "@mantine/core";
import type { DatasetPreview } from "../../api/types";
import { problemAt } from "../compose/problems";
import { Section } from "../compose/Section";
import { RowTable } from "./parts";
import { setColumn, setShape, setTask, type Plan, type Task } from "./plan";
import { KEYS, keysOf, SHAPES, shapeOf, TASKS, type Shape } from "./words";

interface ColumnsProps {
  plan: Plan;
  found: DatasetPreview;
  onChange: (plan: Plan) => void;
}

export function Columns({ plan, found, onChange }: ColumnsProps) {
  const shape = shapeOf(found.mapping);
  const { required, optional } = keysOf(found.task, shape);
  const others = found.problems.filter(
    ({ pointer }) => !pointer.startsWith("/mapping/") && !pointer.startsWith("/split"),
  );
  return (
    <Section title="Columns" hint="Guessed from their names; change what is wrong.">
      <SegmentedControl
        aria-label="Task"
        size="xs"
        mb="md"
        value={found.task}
        onChange={(task) => onChange(setTask(plan, task as Task))}
        data={Object.entries(TASKS).map(([value, label]) => ({ value, label }))}
      />
      {found.task === "causal_lm" && (
        <Select
          size="xs"
          label="Each row is"
          maw={280}
          mb="sm"
          allowDeselect={false}
          data={Object.entries(SHAPES).map(([value, label]) => ({ value, label }))}
          value={shape}
          onChange={(value) => onChange(setShape(plan, value as Shape, found.columns))}
        />
      )}
      <SimpleGrid cols={{ base: 1, xs: 2, sm: 3 }} mb="md">
        {[...required, ...optional].map((key) => (
          <Select
            key={key}
            label={KEYS[key] + (found.task === "regression" && key === "label" ? " (a number)" : "")}
            placeholder={optional.includes(key) ? "none" : "choose a column"}
            clearable={optional.includes(key)}
            data={[...found.columns]}
            value={found.mapping[key] ?? null}
            onChange={(column) => onChange(setColumn(plan, key, column))}
            allowDeselect={optional.includes(key)}
            error={problemAt(found.problems, `/mapping/${key}`) && "Which column is it?"}
          />
        ))}
      </SimpleGrid>
      {others.map(({ pointer, detail }) => (
        <Alert key={pointer + detail} color="red" mb="sm" role="alert">
          {detail}
        </Alert>
      ))}
      <Text size="sm" fw={550} mb={4}>
        First rows of the file
      </Text>
      <RowTable label="First rows, scrolls sideways" columns={[...found.columns]} rows={found.sample.slice(0, 6)} />
    </Section>
  );
}
