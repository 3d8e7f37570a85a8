/** Beside an answer that is undecided: how many seeds might decide it: a guess from few, no promise. */
import { Group, Text } from "@mantine/core";
import type { Answer, Comparison, StudyDetail } from "../../../api/types";
import { NextLook } from "./NextLook";
import { SeedsNeeded } from "./SeedsNeeded";

interface WhatDecidesProps {
  answer: Answer;
  comparison: Comparison | undefined;
  study: StudyDetail;
}

export function WhatDecides({ answer, comparison, study }: WhatDecidesProps) {
  const arm = comparison?.arms.find((one) => one.id === answer.arm_id);
  const difference = arm?.differences[answer.id === "gap" ? "gap" : "validation/loss"];
  if (answer.state !== "undecided" || !difference) return null;
  if (comparison?.plan) return <NextLook study={study} plan={comparison.plan} />;
  return (
    <Group gap={8}>
      <Text span size="xs" c="dimmed">
        Might decide it:
      </Text>
      <SeedsNeeded study={study} difference={difference} />
    </Group>
  );
}
