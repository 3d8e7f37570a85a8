/** What few trainable parameters do to each method. */
import { Text } from "@mantine/core";
import { Explained } from "./Explained";
import { NamedFigure } from "../../../figure/NamedFigure";
import type { TabProps } from "../tab";

export function CapacityTab({ comparison, figureOf, hidden }: TabProps) {
  const ranks = new Set(comparison?.arms.map((arm) => arm.rank));
  return (
    <>
      <Explained>
        Gap and validation loss against the adapter's rank. A method that only helps at high rank fights overfitting
        that a smaller adapter would not have had.
      </Explained>
      {ranks.size === 1 && (
        <Text size="sm" c="dimmed" mb="sm">
          This study has one rank. A clone with several shows lines here.
        </Text>
      )}
      <NamedFigure figureOf={figureOf} hidden={hidden} name="capacity" title="Capacity" />
    </>
  );
}
