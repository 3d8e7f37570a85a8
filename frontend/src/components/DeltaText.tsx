/** A difference to the baseline with its interval and whether it holds, in words as well as in colour. */
import { Text } from "@mantine/core";
import type { Difference, Quantity } from "../api/types";
import { MISSING, percentPoints, plusMinus } from "../format/numbers";

interface DeltaTextProps {
  difference: Difference;
  /** What it is a difference in. */
  quantity: Quantity | undefined;
  /** Whether it holds, on a line of its own. */
  tall?: boolean;
  /** The number alone: a plan's verdict stands beside it. */
  bare?: boolean;
}

export function DeltaText({ difference, quantity, tall = false, bare = false }: DeltaTextProps) {
  const { mean, half_width: half, decided } = difference;
  if (mean === null) return <>{MISSING}</>;
  const better = quantity?.higher_is_better ? "higher" : "lower";
  const number = quantity?.shown === "share" ? percentPoints(mean, half) : plusMinus(mean, half, 3, true);
  if (bare) return <span title={difference.meaning}>{number}</span>;
  const colour = decided === "undecided" ? "dimmed" : decided === better ? "var(--good)" : "var(--bad)";
  return (
    <Text span inherit c={colour} title={difference.meaning}>
      {number}
      {!tall && " · "}
      <Text span inherit {...(tall && { display: "block", size: "xs" })}>
        {decided === "undecided" ? "undecided" : "holds"}
      </Text>
    </Text>
  );
}
