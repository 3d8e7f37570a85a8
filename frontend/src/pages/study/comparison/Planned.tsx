/** The plan that verdicts follow, how far it is, and what of this view lies beyond it; or that there is none. */
import { Text } from "@mantine/core";
import type { Comparison } from "../../../api/types";
import { Warnings } from "../../../components/Warnings";

export function Planned({ comparison: { plan } }: { comparison: Comparison }) {
  return (
    <section aria-label="Plan">
      <Text size="sm" c="dimmed" maw={900} mb="sm">
        {plan
          ? `${plan.sentence} ${plan.standing}`
          : "This study declared no plan before its first run: its numbers are unplanned, and what is looked at again and again is found too often."}
      </Text>
      <Warnings
        label="Beyond the plan"
        sentences={plan?.exploratory.map((what, at) => `Exploratory, ${at + 1}: ${what}`) ?? []}
      />
    </section>
  );
}
