/** The run's charts as the server draws them: losses and gap large, what explains them small, all on the same x. */
import { SimpleGrid, Stack, Text } from "@mantine/core";
import { useQuery } from "@tanstack/react-query";
import { runFigure } from "../../api/runs";
import type { RunDetail } from "../../api/types";
import { NamedFigure } from "../../figure/NamedFigure";

const SMALL = [
  { name: "learning_rate", title: "Learning rate", reading: "Taken so far; dotted, what is planned" },
  { name: "gradient_norm", title: "Gradient norm", reading: "Before clipping, at each evaluation" },
  { name: "speed", title: "Speed", reading: "Training tokens a second" },
  { name: "kl", title: "KL of dropout on from off", reading: "Mean over a slice of the probe, in nats" },
];

export function RunCurves({ run }: { run: RunDetail }) {
  const figureOf = (name: string) => runFigure(run.id, name);
  if (run.status === "queued" && run.step === 0)
    return (
      <Text c="dimmed" py="xl" ta="center">
        The run waits for a worker.
      </Text>
    );
  return (
    <Stack>
      <NamedFigure figureOf={figureOf} name="losses" title="Losses" height={340} hoverGroup="run" />
      <NamedFigure figureOf={figureOf} name="gap" title="Generalization gap" height={220} hoverGroup="run" />
      <SimpleGrid cols={{ base: 1, sm: 2, lg: 4 }}>
        {SMALL.map((chart) => (
          <SmallChart key={chart.name} run={run} {...chart} />
        ))}
      </SimpleGrid>
    </Stack>
  );
}

/** Left out where the run has ended without anything to draw, such as the KL of a run that drops nothing. */
function SmallChart({ run, ...chart }: { run: RunDetail; name: string; title: string; reading: string }) {
  const figureOf = (name: string) => runFigure(run.id, name);
  const { data } = useQuery(figureOf(chart.name));
  const ended = run.status !== "queued" && run.status !== "running";
  if (chart.name === "kl" && run.method === "none") return null;
  if (ended && data?.data.length === 0) return null;
  return <NamedFigure figureOf={figureOf} height={180} hoverGroup="run" {...chart} />;
}
