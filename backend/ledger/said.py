"""What the arms say of single rows, the most disputed ones first. Pure."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

import numpy as np

from backend.shared.specs import Clock

from .rows import Rows, Split
from .schema import SaidByArm, SaidOfRow
from .statistics.calibration import Floats
from .summary import ArmRuns

Order = Literal["apart", "worst", "best"]
Judged = list[tuple[ArmRuns, list[Rows]]]


def judged(found: Sequence[ArmRuns], clock: Clock, split: Split) -> Judged:
    """The arms that have rows at this clock, with the rows of each seed."""
    every = [(arm, [run[clock, split] for run in arm.runs.values() if (clock, split) in run]) for arm in found]
    return [(arm, rows) for arm, rows in every if rows]


def disputed(arms: Judged, order: Order = "apart") -> tuple[Floats, list[int]]:
    """How far apart the arms' mean losses of each row are [N], and the places of the rows in an order."""
    if not arms:
        return np.empty(0), []
    losses = np.array([_loss(rows) for _, rows in arms])
    apart = losses.max(0) - losses.min(0)
    key = {"apart": -apart, "worst": -losses[0], "best": losses[0]}[order]
    return apart, [int(at) for at in np.argsort(key, kind="stable")]


def of_row(arms: Judged, at: int, apart: float, names: Sequence[str], texts: dict[int, str]) -> SaidOfRow:
    """All that is said of the row at a place; names are the classes'."""
    first = arms[0][1][0]
    number = int(first.row[at])
    label = None if first.label is None else _name(float(first.label[at]), names, first.classes is not None)
    said = [_by_arm(arm, rows, at, names) for arm, rows in arms]
    return SaidOfRow(row=number, label=label, text=texts.get(number), apart=apart, arms=said)


def _loss(rows: Sequence[Rows]) -> Floats:
    return np.asarray(np.mean([one.loss for one in rows], axis=0), np.float64)


def _name(value: float, names: Sequence[str], is_class: bool) -> str:
    if not is_class:
        return f"{value:g}"
    return names[int(value)] if 0 <= int(value) < len(names) else str(int(value))


def _by_arm(arm: ArmRuns, rows: Sequence[Rows], at: int, names: Sequence[str]) -> SaidByArm:
    right = [bool(one.right[at]) for one in rows if one.right is not None]
    chances = [float(one.p_right[at]) for one in rows if one.p_right is not None]
    values = [float(one.predicted[at]) for one in rows if one.predicted is not None]
    return SaidByArm(
        arm_id=arm.arm_id,
        run_id=arm.run_id,
        name=arm.name,
        seeds=len(rows),
        right=sum(right) if right else None,
        loss=float(np.mean([one.loss[at] for one in rows])),
        p_right=float(np.mean(chances)) if chances else None,
        predicted=dict(Counter(_name(value, names, True) for value in values)) if right else None,
        value=float(np.mean(values)) if values and not right else None,
    )
