/** An arm's verdict by the study's plan: what it says, and the ends that it stands on. */
import { Text } from "@mantine/core";
import type { Quantity, Verdict } from "../../../api/types";
import { percentPoints, signed } from "../../../format/numbers";

const COLOURS: Record<Verdict["kind"], string | undefined> = {
  better_by_more: "var(--good)",
  better: "var(--good)",
  worse: "var(--bad)",
  no_difference: undefined,
  not_yet: "dimmed",
  cannot_tell: "dimmed",
};

interface VerdictTextProps {
  verdict: Verdict;
  /** What the plan judges by. */
  quantity: Quantity | undefined;
  /** Without the ends that it stands on. */
  short?: boolean;
}

export function VerdictText({ verdict, quantity, short = false }: VerdictTextProps) {
  const written = (end: number) => (quantity?.shown === "share" ? percentPoints(end, null) : signed(end));
  const { lo, hi } = verdict;
  return (
    <Text span inherit title={verdict.words}>
      <Text span inherit fw={550} c={COLOURS[verdict.kind]}>
        {verdict.title}
      </Text>
      {!short && lo !== null && hi !== null && (
        <Text span size="xs" c="dimmed" display="block">
          {written(lo)} to {written(hi)}
        </Text>
      )}
    </Text>
  );
}
