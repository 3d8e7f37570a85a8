/** The run's losses and its gap on the same x. */
import { Skeleton, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { runMetrics } from "../../api/runs";
import type { RunDetail } from "../../api/types";
import { Figure } from "../../figure/Figure";
import { gapFigure, lossFigure } from "./runFigures";

export function RunCurves({ run }: { run: RunDetail }) {
  const { data } = useQuery(runMetrics(run.id));
  const figures = useMemo(
    () => data && { loss: lossFigure(data, run.method), gap: gapFigure(data, run.method) },
    [data, run.method],
  );
  if (!data || !figures) return <Skeleton height={560} />;
  if (data.steps.length === 0 && data.train_loss.steps.length === 0)
    return (
      <Text c="dimmed" py="xl" ta="center">
        {run.status === "queued" ? "The run waits for a worker." : "Nothing has been measured yet."}
      </Text>
    );
  return (
    <Stack>
      <Figure figure={figures.loss} title="Losses" height={340} hoverGroup="run" />
      <Figure figure={figures.gap} title="Generalization gap" height={220} hoverGroup="run" />
    </Stack>
  );
}
