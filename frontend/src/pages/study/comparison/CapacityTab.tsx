/** What few trainable parameters do to each method. */
import { Explained } from "./Explained";
import { NamedFigure } from "../../../figure/NamedFigure";
import type { TabProps } from "../tab";

export function CapacityTab({ figureOf, hidden }: TabProps) {
  return (
    <>
      <Explained>
        Gap and validation loss against the adapter's rank. A method that only helps at high rank fights overfitting
        that a smaller adapter would not have had.
      </Explained>
      <NamedFigure figureOf={figureOf} hidden={hidden} name="capacity" title="Capacity" />
    </>
  );
}
