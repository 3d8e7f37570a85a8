/** Training, rows and adapter settings that most studies leave as they are. */
import { Button, Collapse, Skeleton, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import type { StudySpec } from "../../api/types";
import { count } from "../../format/numbers";
import type { PartProps } from "./part";
import { Section } from "./Section";

const TrainingFields = lazy(() => import("./TrainingFields").then((module) => ({ default: module.TrainingFields })));

export function Advanced(part: PartProps) {
  const { draft, problems } = part;
  const [opened, { toggle }] = useDisclosure(false);
  const wrong = problems.some(({ pointer }) =>
    /^\/(training|train_rows|validation_rows|test_rows|generation|lora)/.test(pointer),
  );
  return (
    <Section
      title="Training"
      hint={inWords(draft)}
      aside={
        <Button
          variant="subtle"
          size="xs"
          flex="none"
          onClick={toggle}
          aria-expanded={opened || wrong}
          rightSection={opened ? <IconChevronUp size={14} /> : <IconChevronDown size={14} />}
        >
          {opened ? "Less" : "Change"}
        </Button>
      }
    >
      <Collapse expanded={opened || wrong}>
        {(opened || wrong) && (
          <Suspense fallback={<Skeleton height={260} />}>
            <TrainingFields {...part} />
          </Suspense>
        )}
      </Collapse>
    </Section>
  );
}

function inWords({ training, train_rows, validation_rows }: StudySpec) {
  const rows = (n: number | null | undefined, noun: string) => `${n ?? "all"} ${noun} rows`;
  return (
    <Text span inherit className="number">
      {training.epochs} epochs over {rows(train_rows, "training")} in batches of {training.batch_size}, learning rate{" "}
      {training.learning_rate}; {training.evaluations} evaluations on {rows(validation_rows, "validation")}
      {training.patience && `; a run stops early after ${count(training.patience, "evaluation")} without improvement`}.
    </Text>
  );
}
