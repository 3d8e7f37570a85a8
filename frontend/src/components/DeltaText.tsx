/** A difference to the baseline with its interval and whether it holds, in words as well as in colour. */
import { Text } from "@mantine/core";
import type { Difference } from "../api/types";
import { higherIsBetter, isShare } from "../format/metrics";
import { MISSING, percentPoints, plusMinus } from "../format/numbers";

interface DeltaTextProps {
  difference: Difference;
  /** Whether it holds, on a line of its own. */
  tall?: boolean;
}

export function DeltaText({ difference, tall = false }: DeltaTextProps) {
  const { metric, mean, half_width: half, decided } = difference;
  if (mean === null) return <>{MISSING}</>;
  const share = isShare(metric);
  const better = higherIsBetter(metric) ? "higher" : "lower";
  const colour = decided === "undecided" ? "dimmed" : decided === better ? "var(--good)" : "var(--bad)";
  return (
    <Text span inherit c={colour} title={difference.meaning}>
      {share ? percentPoints(mean, half) : plusMinus(mean, half, 3, true)}
      {!tall && " · "}
      <Text span inherit {...(tall && { display: "block", size: "xs" })}>
        {decided === "undecided" ? "undecided" : "holds"}
      </Text>
    </Text>
  );
}
