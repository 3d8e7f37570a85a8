/** How many seeds might decide a difference, and one click that trains that many. */
import { Button, Text, Tooltip } from "@mantine/core";
import type { ReactNode } from "react";
import { useMayChange } from "../../../api/accounts";
import type { Difference, StudyDetail } from "../../../api/types";
import { count } from "../../../format/numbers";
import { useStudyChanges } from "../useStudyChanges";

/** A study has at most this many seeds. */
export const MOST_SEEDS = 64;

interface SeedsNeededProps {
  study: StudyDetail;
  /** An undecided one; nothing is shown beside a difference that is decided. */
  difference: Difference;
}

export function SeedsNeeded({ study, difference }: SeedsNeededProps) {
  const { extend } = useStudyChanges(study.id);
  const mayChange = useMayChange();
  const needed = difference.seeds_needed_holm;
  if (difference.decided !== "undecided") return null;
  if (needed === null || needed > MOST_SEEDS || needed <= study.seeds || !mayChange)
    return <Quiet>{seedsToDecide(difference)}</Quiet>;
  const runs = (needed - study.seeds) * study.arm_count;
  return (
    <Tooltip
      label={`A guess: were the true difference the measured one, ${needed} seeds would show it in four studies of five. Measured on few seeds it is often too large. Each further look at the same arms costs certainty. A click queues ${count(runs, "run")}.`}
    >
      <Button
        size="compact-xs"
        variant="light"
        loading={extend.isPending}
        onClick={() => extend.mutate({ seeds: needed, arms: [] })}
      >
        Extend to {needed} seeds
      </Button>
    </Tooltip>
  );
}

/** How many seeds would decide an undecided difference, in words. */
export function seedsToDecide({ n, p_t: p, seeds_needed_holm: needed }: Difference): string {
  if (needed === null) return n < 2 ? "two seeds at least" : p === null ? "no spread to test" : "over 1,000 seeds";
  return needed > MOST_SEEDS ? `over ${MOST_SEEDS} seeds` : count(needed, "seed");
}

function Quiet({ children }: { children: ReactNode }) {
  return (
    <Text span size="xs" c="dimmed">
      {children}
    </Text>
  );
}
