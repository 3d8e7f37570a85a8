/** A study's runs by status in one bar, with the counts in words beside or below it. */
import { Progress, Text } from "@mantine/core";
import type { Counts } from "../api/types";

const PARTS = [
  ["succeeded", "teal.6"],
  ["running", "ink.5"],
  ["failed", "red.6"],
  ["cancelled", "gray.5"],
] as const;

export function StatusProgress({ counts, progress, size = 8 }: { counts: Counts; progress: number; size?: number }) {
  const total = Math.max(1, counts.total);
  const words = countsInWords(counts);
  const done = (counts.succeeded + counts.failed + counts.cancelled) / total;
  // Running runs show the part of their steps that is done, so that the bar moves with every evaluation.
  const share = { ...shares(counts, total), running: Math.max(0, progress - done) };
  return (
    <Progress.Root size={size} radius="xl" aria-label={words}>
      {PARTS.map(([status, colour]) => (
        <Progress.Section
          key={status}
          value={100 * share[status]}
          color={colour}
          aria-label={`${status}: ${counts[status]}`}
        />
      ))}
    </Progress.Root>
  );
}

export function CountsText({ counts }: { counts: Counts }) {
  return (
    <Text size="xs" c="dimmed" className="number">
      {countsInWords(counts)}
    </Text>
  );
}

function shares(counts: Counts, total: number) {
  return { succeeded: counts.succeeded / total, failed: counts.failed / total, cancelled: counts.cancelled / total };
}

/** "12 of 40 done · 2 running · 1 failed". */
export function countsInWords(counts: Counts): string {
  const words = [`${counts.succeeded} of ${counts.total} done`];
  for (const status of ["running", "queued", "failed", "cancelled"] as const)
    if (counts[status]) words.push(`${counts[status]} ${status}`);
  return words.join(" · ");
}
