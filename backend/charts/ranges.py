"""How far the axes of curves reach: y as the lines do and no further than the quantity can, x to the planned end."""

from collections.abc import Iterable, Sequence

import numpy as np

from backend.comparison.schema import ArmComparison, Comparison, SeriesName
from backend.shared.metrics import METRICS

from .arrays import Floats
from .lines import values_of

AIR = 0.06
# A line that leaves the others this far behind is cut at the edge, so that the others can be read.
FAR = 4.0


def y_range(
    arms: Iterable[ArmComparison], names: Sequence[SeriesName], *, log: bool
) -> tuple[list[float] | None, bool]:
    """Return the ends of the y axis (as powers of ten where `log`), and whether a line leaves them; None for no line.

    Lines decide it and bands do not. A loss has no range below 0, a share none outside 0 to 1.
    """
    lines = [
        values_of(arm.curve.series[name].mean)
        for arm in arms
        if arm.curve
        for name in names
        if name in arm.curve.series
    ]
    values = np.concatenate(lines) if lines else np.empty(0)
    values = values[np.isfinite(values) & ((values > 0) if log else True)]
    if len(values) == 0:
        return None, False
    low, high = float(values.min()), float(values.max())
    if log:
        low, high = float(np.log10(low)), float(np.log10(high))
        air = AIR * (high - low or 1)
        return [low - air, high + air], False
    usual = float(np.quantile(values, 0.9))
    left = high > FAR * usual > 0
    high = 1.5 * usual if left else high
    air = AIR * (high - low or abs(high) or 1)
    metric = METRICS[names[0]]
    ends = [low - air, high + air]
    if metric.loss and metric.derived is None and low >= 0:
        ends[0] = max(0.0, ends[0])
    if metric.shown == "share":
        ends = [max(0.0, ends[0]), min(1.0, ends[1])]
    return ends, left


def planned_end(comparison: Comparison, arms: Iterable[ArmComparison]) -> float | None:
    """Return where the longest planned run ends, in the unit of x; None before any run says how far it is.

    Epochs, tokens and seconds are taken to grow with the steps as they have so far.
    """
    ends = []
    for arm in arms:
        total = max((run.total_steps for run in arm.runs), default=0)
        if not total:
            continue
        if comparison.x == "step":
            ends.append(float(total))
        elif comparison.x == "epoch" and arm.epochs:
            ends.append(arm.epochs)
        elif (pace := _pace(arm)) is not None:
            ends.append(total * pace)
    return max(ends, default=None)


def x_at(arm: ArmComparison, step: float) -> float | None:
    """Return where a step of an arm lies on its x axis, between its evaluations."""
    if arm.curve is None or not arm.curve.step:
        return None
    x = values_of(arm.curve.x)
    known = np.isfinite(x)
    return float(np.interp(step, np.array(arm.curve.step, np.float64)[known], x[known])) if known.any() else None


def epoch_marks(comparison: Comparison, arm: ArmComparison | None, most: int = 12) -> Floats:
    """Return where the epochs within an arm's training end, in the unit of x; none where they are very many."""
    total = 0 if arm is None else max((run.total_steps for run in arm.runs), default=0)
    if arm is None or not total or not arm.epochs or not 1 < arm.epochs <= most:
        return np.empty(0)
    whole = np.arange(1, int(np.ceil(arm.epochs)))
    if comparison.x == "epoch":
        return whole.astype(np.float64)
    steps = whole * total / arm.epochs
    pace = 1.0 if comparison.x == "step" else _pace(arm)
    return np.empty(0) if pace is None else steps * pace


def _pace(arm: ArmComparison) -> float | None:
    """Return how far x goes a step."""
    if arm.curve is None:
        return None
    x, steps = values_of(arm.curve.x), np.array(arm.curve.step, np.float64)
    known = np.flatnonzero(np.isfinite(x) & (steps > 0))
    return None if len(known) == 0 else float(x[known[-1]] / steps[known[-1]])
