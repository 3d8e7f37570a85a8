/** Whether the differences are real: every pair as a matrix, and each arm against the baseline with all its numbers. */
import { Stack, Title } from "@mantine/core";
import { DifferenceTable } from "./DifferenceTable";
import { Explained } from "./Explained";
import { NamedFigure } from "../../../figure/NamedFigure";
import type { TabProps } from "../tab";

export function SignificanceTab({ comparison, figureOf, hidden }: TabProps) {
  return (
    <Stack gap="lg">
      <section>
        <Title order={2}>Against the baseline</Title>
        <Explained>
          Differences are taken seed by seed, so that what the seeds have in common falls out. Intervals are 95 % and
          not adjusted; Holm's correction applies to the p of the paired t test over all arms
          {comparison?.clock === "stopped" && ", each run stopped in time: a family of its own beside the last step's"}.
        </Explained>
        {comparison && <DifferenceTable comparison={comparison} hidden={hidden} />}
      </section>
      <section>
        <NamedFigure figureOf={figureOf} hidden={hidden} name="significance" title="Every arm against every arm" />
      </section>
    </Stack>
  );
}
