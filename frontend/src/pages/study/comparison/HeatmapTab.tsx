/** Method × rate × rank: where in the grid the effect is. */
import { NativeSelect } from "@mantine/core";
import { Explained } from "./Explained";
import { NamedFigure } from "../../../figure/NamedFigure";
import type { TabProps } from "../tab";
import { useView } from "../useView";

export function HeatmapTab({ comparison, figureOf, hidden }: TabProps) {
  const { change } = useView();
  const open = (id: unknown) => {
    const arm = comparison?.arms.find((one) => one.id === id);
    if (arm) change({ tab: "runs", runs: `arm:"${arm.label}"` });
  };
  return (
    <>
      <Explained>
        Every cell is the mean difference to the baseline over paired seeds, ± half of its 95 % interval. A star: it
        differs once all arms are accounted for. A pale cell with grey text and a ring is undecided. A click opens the
        runs behind a cell; so does this list.
      </Explained>
      <NativeSelect
        size="xs"
        w={280}
        mb="sm"
        aria-label="Runs of an arm"
        value=""
        onChange={({ currentTarget }) => open(currentTarget.value)}
        data={[
          { value: "", label: "Open the runs of…" },
          ...(comparison?.arms ?? []).map((arm) => ({ value: arm.id, label: arm.label })),
        ]}
      />
      <NamedFigure
        figureOf={figureOf}
        hidden={hidden}
        name="heatmap"
        title="By method, rate and rank"
        onPoint={(point) => open(point.customdata)}
      />
    </>
  );
}
