/** Further data sets that every run is measured on: what training costs elsewhere. */
import { CloseButton, Group, NumberInput, Select, SimpleGrid, Stack, Text } from "@mantine/core";
import { useSuspenseQuery } from "@tanstack/react-query";
import { datasets } from "../../api/catalogue";
import { alsoChoices } from "./also";
import type { PartProps } from "./part";
import { problemAt } from "./problems";

const MOST = 4;

export function AlsoMeasured({ draft, onChange, problems }: PartProps) {
  const { data: sets } = useSuspenseQuery(datasets);
  const chosen = draft.also_measure;
  const put = (also_measure: string[]) => onChange({ ...draft, also_measure });
  const titleOf = (id: string) => sets.items.find((set) => set.id === id)?.title ?? id;
  return (
    <SimpleGrid cols={{ base: 1, sm: 2 }} mt="md">
      <div>
        <Select
          label="Also measure on"
          description={
            draft.task === "causal_lm"
              ? "Texts that nothing is trained on: what is forgotten meanwhile"
              : "Data of the same task that nothing is trained on: what is lost, or carries over"
          }
          placeholder={chosen.length === 0 ? "Nothing else" : "One more"}
          searchable
          disabled={chosen.length >= MOST}
          data={alsoChoices(draft, sets.items).filter(({ value }) => !chosen.includes(value))}
          value={null}
          onChange={(id) => id && put([...chosen, id])}
          error={problemAt(problems, "/also_measure")}
          nothingFoundMessage="No such data set here; add one under Data"
        />
        <Stack gap={2} mt={6}>
          {chosen.map((id, at) => (
            <div key={id}>
              <Group gap={4} wrap="nowrap">
                <CloseButton
                  size="sm"
                  aria-label={`Do not measure on ${titleOf(id)}`}
                  onClick={() => put(chosen.filter((other) => other !== id))}
                />
                <Text span size="sm" dir="auto" truncate>
                  {titleOf(id)}
                </Text>
              </Group>
              {problemAt(problems, `/also_measure/${at}`) && (
                <Text size="xs" c="var(--bad)">
                  {problemAt(problems, `/also_measure/${at}`)}
                </Text>
              )}
            </div>
          ))}
        </Stack>
      </div>
      {chosen.length > 0 && (
        <NumberInput
          label="Rows of each"
          description="The same for every run; measured before, along and after"
          min={1}
          max={2000}
          allowDecimal={false}
          value={draft.also_rows}
          onChange={(rows) => typeof rows === "number" && onChange({ ...draft, also_rows: rows })}
          error={problemAt(problems, "/also_rows")}
        />
      )}
    </SimpleGrid>
  );
}
