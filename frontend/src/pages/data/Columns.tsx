/** The task, which column is what, and the first rows to see it by. */
import { Alert, SegmentedControl, Select, SimpleGrid, Text } from "@mantine/core";
import type { DatasetPreview } from "../../api/types";
import { problemAt } from "../compose/problems";
import { Section } from "../compose/Section";
import { RowTable } from "./parts";
import { setColumn, setTask, type Plan, type Task } from "./plan";
import { KEYS, KEYS_OF, TASKS } from "./words";

interface ColumnsProps {
  plan: Plan;
  found: DatasetPreview;
  onChange: (plan: Plan) => void;
}

export function Columns({ plan, found, onChange }: ColumnsProps) {
  const { required, optional } = KEYS_OF[found.task];
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
