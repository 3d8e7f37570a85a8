/** The paper's framework: which cells this study has measured, and a way to run the ones it has not. */
import { useState } from "react";
import { useMayChange } from "../../../api/accounts";
import { CellPicker } from "./CellPicker";
import { Explained } from "./Explained";
import { RunCellDialog, type FrameworkCell } from "./RunCellDialog";
import { NamedFigure } from "../../../figure/NamedFigure";
import type { TabProps } from "../tab";

export function FrameworkTab({ study, figureOf, hidden }: TabProps) {
  const [cell, setCell] = useState<FrameworkCell>();
  const mayChange = useMayChange();
  const pick = (data: unknown) => {
    if (!mayChange || !Array.isArray(data)) return;
    const [position, structure, consistency] = data as string[];
    if (position && structure && consistency) setCell({ position, structure, consistency });
  };
  return (
    <>
      <Explained>
        Where something is dropped (rows) and in which pattern (columns), with the effect against the baseline in each
        cell that was measured; a star where it differs, pale with a ring where it is undecided. Methods of several
        places stand below. A cell that says “+ run” has not been tried in this study: click it, or choose it here.
      </Explained>
      {mayChange && <CellPicker onPick={setCell} />}
      <NamedFigure
        figureOf={figureOf}
        hidden={hidden}
        name="framework"
        title="Position by structure"
        onPoint={(point) => pick(point.customdata)}
      />
      {cell && <RunCellDialog study={study} cell={cell} onClose={() => setCell(undefined)} />}
    </>
  );
}
