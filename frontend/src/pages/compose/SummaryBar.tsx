/** What will happen, always in sight: arms × seeds, time, what stands in the way, and the button. */
import { Button, Container, Group, Loader, Text } from "@mantine/core";
import { IconPlayerPlay } from "@tabler/icons-react";
import { ApiProblem, sentence } from "../../api/problem";
import type { ErrorItem, StudyPreview, StudySpec } from "../../api/types";
import { useQueueStudy } from "../../components/useQueueStudy";
import { bytes, count } from "../../format/numbers";
import { between } from "../../format/times";
import { inShort } from "./problems";
import classes from "./SummaryBar.module.css";
import { named } from "./usePreview";

interface SummaryBarProps {
  draft: StudySpec;
  onQueued: () => void;
  preview: StudyPreview | undefined;
  problems: ErrorItem[];
  error: unknown;
  pending: boolean;
  ready: boolean;
}

export function SummaryBar({ draft, onQueued, preview, problems, error, pending, ready }: SummaryBarProps) {
  const queue = useQueueStudy();
  const unreachable = error !== null && !(error instanceof ApiProblem);
  const trouble = unreachable
    ? sentence(error)
    : (inShort(problems[0]) ?? (ready ? undefined : "Choose a model, a data set and at least one method."));
  return (
    <div className={classes.bar} role="region" aria-label="Summary">
      <Container size={1400}>
        <Group justify="space-between" wrap="nowrap">
          <div className={classes.words} aria-live="polite">
            {trouble ? (
              <Text size="sm" c="var(--bad)" lineClamp={2}>
                {trouble}
                {problems.length > 1 && ` (and ${count(problems.length - 1, "more problem")})`}
              </Text>
            ) : preview ? (
              <Sums preview={preview} />
            ) : (
              <Loader size="xs" role="img" aria-label="Working it out" />
            )}
          </div>
          <Button
            flex="none"
            leftSection={<IconPlayerPlay size={16} />}
            disabled={!ready || trouble !== undefined || pending || !preview}
            loading={queue.isPending}
            onClick={() => queue.mutate(named(draft), { onSuccess: onQueued })}
          >
            Queue{preview && !trouble ? ` ${count(preview.runs, "run")}` : ""}
          </Button>
        </Group>
      </Container>
    </div>
  );
}

function Sums({ preview }: { preview: StudyPreview }) {
  const { warnings, arms, seeds, runs, steps_per_run: steps, estimated_memory_bytes } = preview;
  const { estimated_seconds_low: low, estimated_seconds_high: high } = preview;
  return (
    <>
      <Text size="sm" fw={600} className="number">
        {count(arms.length, "arm")} × {count(seeds, "seed")} = {count(runs, "run")}
        {steps !== null && (
          <Text span inherit fw={400} c="dimmed" visibleFrom="xs">
            {" "}
            of {count(steps, "step")}
          </Text>
        )}
      </Text>
      {warnings[0] && (
        <Text size="xs" c="var(--warn)" lineClamp={2}>
          Check first: {warnings[0].detail}
          {warnings.length > 1 && ` (and ${count(warnings.length - 1, "more warning")})`}
        </Text>
      )}
      <Text size="xs" c="dimmed" className="number" lineClamp={2}>
        {low !== null && high !== null && `${between(low, high)} · `}
        {estimated_memory_bytes !== null && `${bytes(estimated_memory_bytes)} of weights per worker · `}
        {preview.estimate_basis}
      </Text>
    </>
  );
}
