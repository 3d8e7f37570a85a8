/** What dropout does to the model between training and use, and what compensation closes of it. */
import { Explained } from "./Explained";
import { NamedFigure } from "../../../figure/NamedFigure";
import type { TabProps } from "../tab";

export function TrainInferenceTab({ figureOf, hidden }: TabProps) {
  return (
    <>
      <Explained>
        With dropout on, the model that is trained is not the one that is used. Left: the loss on the probe with dropout
        on minus off. Right: the mean KL between the two outputs. A rescale or a consistency loss is meant to bring both
        towards zero.
      </Explained>
      <NamedFigure figureOf={figureOf} hidden={hidden} name="train_inference" title="Train/inference gap" />
    </>
  );
}
