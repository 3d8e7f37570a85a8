/** The first arm of a study's ranking and how it differs from the baseline; read when the row comes into view. */
import { Group, Text } from "@mantine/core";
import { useInViewport } from "@mantine/hooks";
import { useQuery } from "@tanstack/react-query";
import { comparison } from "../../api/studies";
import type { StudySummary } from "../../api/types";
import { PLAIN_VIEW } from "../../api/view";
import { ArmMark } from "../../components/ArmMark";
import { DeltaText } from "../../components/DeltaText";

export function BestArm({ study }: { study: StudySummary }) {
  const { ref, inViewport } = useInViewport();
  const { data } = useQuery({
    ...comparison(study.id, PLAIN_VIEW),
    enabled: inViewport,
    staleTime: study.counts.running > 0 ? 10_000 : Infinity,
  });
  const best = data?.arms.find((arm) => arm.id === data.ranking[0]);
  const difference = best?.differences[PLAIN_VIEW.metric];
  const quantity = data?.metrics.find(({ name }) => name === PLAIN_VIEW.metric);
  return (
    <div ref={ref} style={{ minHeight: 38 }}>
      {best && (
        <>
          <Group gap={7} wrap="nowrap">
            <ArmMark arm={best} />
            <Text size="sm" fw={550} truncate>
              {best.label}
            </Text>
          </Group>
          <Text size="xs" c="dimmed" component="div" className="number">
            {best.is_baseline || !difference ? (
              "the baseline has the lowest loss"
            ) : (
              <>
                Δ loss <DeltaText difference={difference} quantity={quantity} />
              </>
            )}
          </Text>
        </>
      )}
    </div>
  );
}
