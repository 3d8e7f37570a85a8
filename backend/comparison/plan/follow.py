"""In a study with a plan, nothing is called decided but at its looks: by its verdicts, and else by tests of their own.

What the plan judges by is decided by its verdicts. Every other quantity, clock and baseline is a family of its own,
tested at the same looks with the same bounds: watching and extending do not raise its error either. That it was picked
among many stays, so it is exploratory.
"""

from collections.abc import Sequence

import numpy as np

from backend.comparison import schema
from backend.comparison.statistics.grid import ArmGrid
from backend.shared.metrics import METRICS

from . import words
from .draw import Drawn
from .judge import judge
from .values import turned, values

Rows = list[dict[schema.SeriesName, schema.Difference]]
_NO_SIZE = 1e-300  # no difference is too small to matter where nobody said which is


def follow(
    drawn: Drawn | None, grids: Sequence[ArmGrid], base: int | None, found: Rows, clock: schema.Clock, to: schema.Clock
) -> Rows:
    """Return the differences of arms at `clock` to the baseline at `to`, decided and told as the plan's looks have it.

    base: the arm that they are to.  Unchanged where there is no plan.
    """
    if drawn is None or base is None:
        return found
    rows = [dict(row) for row in found]
    plan = drawn.plan
    for metric in {metric for row in found for metric in row}:
        by_plan = (metric, clock, to, grids[base].arm.id) == (
            plan.metric,
            plan.clock,
            plan.clock,
            plan.baseline_arm_id,
        )
        several = len(plan.baseline_arm_ids) > 1
        told = {} if by_plan and not several else _beyond(plan, grids, base, metric, clock, to)
        told |= _verdicts(drawn, grids) if by_plan else {}
        for i, (kind, meaning) in told.items():
            difference = rows[i].get(metric)
            if difference is not None:
                change = {"decided": _decision(kind, metric), "meaning": meaning}
                rows[i][metric] = difference.model_copy(update=change)
    return rows


def _verdicts(drawn: Drawn, grids: Sequence[ArmGrid]) -> dict[int, tuple[schema.VerdictKind, str]]:
    told: dict[int, tuple[schema.VerdictKind, str]] = {}
    for i, grid in enumerate(grids):
        if grid.arm.id in drawn.plan.baseline_arm_ids:
            continue
        verdict = drawn.verdicts.get(grid.arm.id)
        if verdict is None:
            told[i] = ("not_yet", words.NOT_JUDGED)
        elif verdict.baseline_arm_id == drawn.plan.baseline_arm_id:
            told[i] = (verdict.kind, verdict.words)
    return told


def _beyond(
    plan: schema.PlanShown,
    grids: Sequence[ArmGrid],
    base: int,
    metric: schema.SeriesName,
    clock: schema.Clock,
    to: schema.Clock,
) -> dict[int, tuple[schema.VerdictKind, str]]:
    """Judge a quantity that the plan does not, at the plan's looks: all arms, and the baseline's own two clocks."""
    looks = [look.seeds for look in plan.looks]
    against = values(grids[base], metric, to, looks[-1])
    others = [i for i in range(len(grids)) if i != base]
    arms = np.array([values(grids[i], metric, clock, looks[-1]) for i in others]).reshape(len(others), looks[-1])
    judged = dict(zip(others, judge(arms, against, looks, _NO_SIZE), strict=True))
    if clock != to:
        own = values(grids[base], metric, clock, looks[-1])[None]
        judged[base] = judge(own, against, looks, _NO_SIZE)[0]
    return {i: (one.kind, words.beyond(turned(one, metric), metric, looks[0])) for i, one in judged.items()}


def _decision(kind: schema.VerdictKind, metric: str) -> schema.Decision:
    better: schema.Decision = "higher" if METRICS[metric].higher_is_better else "lower"
    worse: schema.Decision = "lower" if better == "higher" else "higher"
    return better if kind in ("better", "better_by_more") else worse if kind == "worse" else "undecided"
