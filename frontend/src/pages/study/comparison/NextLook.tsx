/** What the plan has next, and one click that trains up to it; nothing is offered that it does not know. */
import { Button, Text, Tooltip } from "@mantine/core";
import { useMayChange } from "../../../api/accounts";
import type { Comparison, StudyDetail } from "../../../api/types";
import { count, percent } from "../../../format/numbers";
import { useStudyChanges } from "../useStudyChanges";

interface NextLookProps {
  study: StudyDetail;
  plan: NonNullable<Comparison["plan"]>;
}

export function NextLook({ study, plan }: NextLookProps) {
  const { extend } = useStudyChanges(study.id);
  const mayChange = useMayChange();
  const { next_look: next, error_left: left } = plan;
  const words =
    next === null
      ? "The plan's looks are drawn: further seeds only explore."
      : next <= study.seeds
        ? study.counts.queued + study.counts.running > 0
          ? `The next look is at ${next} seeds, which are on their way.`
          : `The look at ${next} seeds waits for runs that ended without a value: retry them.`
        : `The next look is at ${next} seeds.`;
  if (next === null || next <= study.seeds || !mayChange)
    return (
      <Text span size="xs" c="dimmed">
        {words}
      </Text>
    );
  const runs = (next - study.seeds) * study.arm_count;
  return (
    <Tooltip label={`${words} ${percent(left)} of the error is left for it. A click queues ${count(runs, "run")}.`}>
      <Button
        size="compact-xs"
        variant="light"
        loading={extend.isPending}
        onClick={() => extend.mutate({ seeds: next, arms: [] })}
      >
        Extend to the next look, {next} seeds
      </Button>
    </Tooltip>
  );
}
