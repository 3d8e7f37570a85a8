"""How each arm changed on further data sets since before its first step, at both clocks, against the baseline."""

from collections.abc import Sequence

import numpy as np

from backend.comparison import schema
from backend.comparison.arms import estimate
from backend.comparison.statistics.grid import HALF_A, HALF_B, ArmGrid
from backend.comparison.statistics.holm import holm
from backend.comparison.statistics.paired import PairedValues, compare
from backend.comparison.statistics.records import Floats
from backend.comparison.words import ALPHA, DECIDES_FROM, LOSS_UNIT
from backend.shared.metrics import METRICS, Metric, also, also_named

from .words import sentence

NOTE = (
    "What training changed elsewhere is judged by no plan: paired t tests at 5 %, with Holm's correction over the arms "
    "for each data set, quantity and clock. The rows are the same for all runs, so nothing is said of other rows."
)
_OWN = ("validation/loss", "validation/accuracy", "validation/pearson")


def elsewhere(
    grids: Sequence[ArmGrid], base: int | None, shown: Sequence[str], clock: schema.Clock, task: str
) -> schema.Elsewhere | None:
    """Return what the study's runs made of further data sets; None where it has named none.

    base: index of the baseline.  shown: the arms' names.  clock: the one that sentences speak of.
    """
    asked = [one for grid in grids[:1] for one in grid.arm.spec.get("also_measure", ())]
    if not asked:
        return None
    sets = []
    for further in asked:
        dataset = further["dataset"]["id"]
        quantities = [also(also_named(dataset, quantity)) for quantity in ("loss", "accuracy")]
        measures = [_measured(grids, base, one, task) for one in quantities if one is not None and _known(grids, one)]
        loss = measures[0] if measures else None
        words = sentence(dataset, loss, shown, base, clock)
        sets.append(
            schema.FurtherSet(
                dataset=dataset, split=further["split"], rows=further["rows"], measures=measures, sentence=words
            )
        )
    own = [_measured(grids, base, METRICS[name], task) for name in _OWN if _known(grids, METRICS[name])]
    return schema.Elsewhere(own=own, sets=sets, sentence=" ".join(one.sentence for one in sets), note=NOTE)


def _known(grids: Sequence[ArmGrid], metric: Metric) -> bool:
    return any(metric.name in grid.before for grid in grids)


def _measured(grids: Sequence[ArmGrid], base: int | None, metric: Metric, task: str) -> schema.MeasuredChange:
    last = _changes(grids, base, metric, "last")
    stopped = _changes(grids, base, metric, "stopped")
    return schema.MeasuredChange(
        name=metric.name,
        title=metric.title,
        short_title=metric.short_title,
        unit=LOSS_UNIT.get(task, metric.unit) if metric.loss else metric.unit,
        higher_is_better=bool(metric.higher_is_better),
        shown=metric.shown,
        arms=[
            schema.ArmChange(
                arm_id=grid.arm.id,
                before=estimate(grid, _before(grid, metric.name, "last")),
                last=last[i],
                stopped=stopped[i] if stopped[i].value.n else None,
            )
            for i, grid in enumerate(grids)
        ],
    )


def _changes(grids: Sequence[ArmGrid], base: int | None, metric: Metric, clock: schema.Clock) -> list[schema.Change]:
    values = [_values(grid, metric.name, clock) for grid in grids]
    changes = [value - _before(grid, metric.name, clock) for grid, value in zip(grids, values, strict=True)]
    worst = [_worst(grid, value) for grid, value in zip(grids, values, strict=True)]
    found: list[schema.ChangeDifference | None] = [None] * len(grids)
    if base is not None:
        others = [i for i in range(len(grids)) if i != base]
        paired = [_pairs(grids[i], changes[i], grids[base], changes[base]) for i in others]
        results = [compare(pairs) for pairs in paired]
        adjusted = holm([result.p for result in results])
        for i, pairs, result, p_holm in zip(others, paired, results, adjusted, strict=True):
            interval = result.difference
            way: schema.Decision = "lower" if (interval.mean or 0.0) < 0 else "higher"
            better = (way == "higher") == bool(metric.higher_is_better)
            forbidden = worst[i] if better else worst[base]
            clear = p_holm is not None and p_holm < ALPHA and interval.n >= DECIDES_FROM and not forbidden
            found[i] = schema.ChangeDifference(
                n=interval.n,
                mean=interval.mean,
                lo=interval.lo,
                hi=interval.hi,
                half_width=interval.half_width,
                p_t=result.p_t,
                p_holm=p_holm,
                decided=way if clear else "undecided",
                pairs=[
                    schema.Pair(seed=seed, value=value)
                    for seed, value in zip(pairs.seeds, (pairs.left - pairs.right).tolist(), strict=True)
                ],
            )
    return [
        schema.Change(
            value=estimate(grid, values[i]), change=estimate(grid, changes[i]), worst=worst[i], difference=found[i]
        )
        for i, grid in enumerate(grids)
    ]


def _before(grid: ArmGrid, name: str, clock: schema.Clock) -> Floats:
    """What each finished run had before its first step, float64 [R]; of halves where the clock's value is of halves."""
    split, _, quantity = name.partition("/")
    halves = split == "validation" and clock == "stopped"
    read = [half + quantity for half in (HALF_A, HALF_B)] if halves else [name]
    found = [grid.before.get(one, np.full(len(grid.runs), np.nan)) for one in read]
    values = np.full(len(grid.runs), np.nan)
    rows = list(grid.finished)
    values[rows] = (sum(found[1:], start=found[0]) / len(found))[rows]
    return values


def _values(grid: ArmGrid, name: str, clock: schema.Clock) -> Floats:
    if grid.final_step is None:
        return np.full(len(grid.runs), np.nan)
    return grid.stopped(name) if clock == "stopped" else grid.column(name, grid.final_step)


def _worst(grid: ArmGrid, values: Floats) -> int:
    """How many seeds have no number since they diverged, here or on the study's own rows."""
    if not np.isfinite(values).any() and not grid.diverged:
        return 0  # the clock is not known, or nothing has finished
    gone = {i for i in grid.finished if not np.isfinite(values[i])}
    return len(gone.union(grid.diverged))


def _pairs(left: ArmGrid, a: Floats, right: ArmGrid, b: Floats) -> PairedValues:
    theirs = {run.seed: value for run, value in zip(right.runs, b, strict=True) if np.isfinite(value)}
    both = [
        (run.seed, value, theirs[run.seed])
        for run, value in zip(left.runs, a, strict=True)
        if np.isfinite(value) and run.seed in theirs
    ]
    seeds, mine, other = zip(*both, strict=True) if both else ((), (), ())
    return PairedValues(None, tuple(seeds), np.array(mine, np.float64), np.array(other, np.float64))
