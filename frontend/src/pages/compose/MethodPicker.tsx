/** The methods as cards; chosen ones show their rates. */
import { Alert, Button, Group, SimpleGrid, Skeleton, Text } from "@mantine/core";
import { IconPuzzle } from "@tabler/icons-react";
import { useSuspenseQuery } from "@tanstack/react-query";
import { lazy, Suspense, useState } from "react";
import { methods } from "../../api/catalogue";
import { armOf, setRates, toggleMethod } from "./draft";
import { FreeRivals } from "./FreeRivals";
import { MethodCard } from "./MethodCard";
import { OtherArms } from "./OtherArms";
import type { PartProps } from "./part";
import { problemAt, sentencesAt } from "./problems";
import { Section } from "./Section";

const Composer = lazy(() => import("./Composer").then((module) => ({ default: module.Composer })));

const FIRST = [
  "none",
  "native_dropout",
  "adapter_dropout",
  "dropkey",
  "dropattention",
  "hiddencut",
  "hiddenkey_minus",
  "hiddenkey",
];

export function MethodPicker(part: PartProps) {
  const { draft, onChange, problems, warnings } = part;
  const { data: catalogue } = useSuspenseQuery(methods);
  const [all, setAll] = useState(false);
  const [composing, setComposing] = useState(false);
  const first = FIRST.map((name) => catalogue.presets.find((preset) => preset.name === name)).filter(
    (preset) => !!preset,
  );
  const rest = catalogue.presets.filter((preset) => !FIRST.includes(preset.name));
  const shown = all ? [...first, ...rest] : [...first, ...rest.filter((preset) => armOf(draft, preset.name) >= 0)];
  const wrong = problems.find((problem) => problem.pointer === "/arms" || problem.pointer === "/baseline");
  return (
    <Section title="Methods" hint="Each chosen method is an arm; several rates make several arms.">
      {wrong && (
        <Alert color="red" mb="sm" py="xs">
          {wrong.detail}
        </Alert>
      )}
      {armOf(draft, "none") < 0 && (
        <Text size="sm" c="dimmed" mb="sm">
          Without “No dropout” there is nothing that shows whether dropout helps at all; the first arm becomes the
          baseline.
        </Text>
      )}
      <SimpleGrid cols={{ base: 1, xs: 2, md: 3 }} spacing="sm">
        {shown.map((preset) => {
          const at = armOf(draft, preset.name);
          return (
            <MethodCard
              key={preset.name}
              preset={preset}
              arm={draft.arms[at]}
              problem={problemAt(problems, `/arms/${at}`)}
              warnings={sentencesAt(warnings, `/arms/${at}`)}
              onToggle={() => onChange(toggleMethod(draft, preset))}
              onRates={(rates) => onChange(setRates(draft, at, rates))}
            />
          );
        })}
      </SimpleGrid>
      <OtherArms {...part} />
      {composing ? (
        <Suspense fallback={<Skeleton height={260} mt="sm" />}>
          <Composer draft={draft} onChange={onChange} onClose={() => setComposing(false)} />
        </Suspense>
      ) : (
        <Group mt="sm" gap="xs">
          <Button variant="light" size="xs" leftSection={<IconPuzzle size={14} />} onClick={() => setComposing(true)}>
            Compose a method
          </Button>
          {!all && rest.length > 0 && (
            <Button variant="subtle" size="xs" onClick={() => setAll(true)}>
              {rest.length} more methods
            </Button>
          )}
        </Group>
      )}
      <FreeRivals {...part} />
    </Section>
  );
}
