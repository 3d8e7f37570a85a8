/** What the study will be judged by, in one sentence; its fields when they are asked for. */
import { Button, Collapse, Skeleton, Text } from "@mantine/core";
import { useDisclosure } from "@mantine/hooks";
import { IconChevronDown, IconChevronUp } from "@tabler/icons-react";
import { lazy, Suspense } from "react";
import type { StudyPreview, StudySpec } from "../../api/types";
import type { PartProps } from "./part";
import { Section } from "./Section";

const PlanFields = lazy(() => import("./PlanFields").then((module) => ({ default: module.PlanFields })));

export function PlanSection({ preview, ...part }: PartProps & { preview: StudyPreview | undefined }) {
  const [opened, { toggle }] = useDisclosure(false);
  const open = opened || part.problems.some(({ pointer }) => pointer.startsWith("/plan"));
  return (
    <Section
      title="Plan"
      hint={preview?.plan?.sentence ?? whyNone(part.draft)}
      aside={
        <Button
          variant="subtle"
          size="xs"
          flex="none"
          onClick={toggle}
          aria-label={open ? "Less of the plan" : "Change the plan"}
          aria-expanded={open}
          rightSection={open ? <IconChevronUp size={14} /> : <IconChevronDown size={14} />}
        >
          {open ? "Less" : "Change"}
        </Button>
      }
    >
      <Collapse expanded={open}>
        {open && (
          <Suspense fallback={<Skeleton height={140} />}>
            <PlanFields {...part} plan={preview?.plan ?? null} />
          </Suspense>
        )}
      </Collapse>
    </Section>
  );
}

/** What stands in for the plan's sentence where there is none. */
function whyNone({ plan, seeds, arms }: StudySpec) {
  const words =
    plan === null
      ? "None: this study explores, and no verdicts are drawn."
      : seeds < 3 || arms.length < 2
        ? "None: verdicts need three seeds and two arms at least."
        : "Known as soon as the study is complete.";
  return (
    <Text span inherit>
      {words}
    </Text>
  );
}
