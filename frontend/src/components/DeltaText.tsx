/** A difference to the baseline with its interval and whether it holds, in words as well as in colour. */
import { Text } from "@mantine/core";
import type { Difference } from "../api/types";
import { plusMinus } from "../format/numbers";

export function DeltaText({ difference }: { difference: Difference }) {
  const colour =
    difference.decided === "undecided" ? "dimmed" : difference.decided === "lower" ? "var(--good)" : "var(--bad)";
  return (
    <Text span inherit c={colour} title={difference.meaning}>
      {plusMinus(difference.mean, difference.half_width, 3, true)}
      {difference.decided === "undecided" ? " · undecided" : " · holds"}
    </Text>
  );
}
