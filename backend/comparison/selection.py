"""Fair comparison of tuned methods: each method's setting chosen on validation rows, reported on test rows.

The choice uses means over the same seeds that are reported, so the luck of those seeds is still in the numbers; the
luck of the validation rows is not.
"""

from collections.abc import Sequence

import numpy as np

from backend.shared.metrics import METRICS

from . import schema
from .arms import estimate
from .differences import differences
from .statistics.grid import ArmGrid
from .statistics.records import ArmRecord
from .words import several

_IN_TIME = " Every run is stopped at its best evaluation on validation rows, as its adapter was kept."


def select(
    grids: Sequence[ArmGrid],
    base: int | None,
    names: Sequence[schema.SeriesName],
    metric: schema.SeriesName,
    shown: Sequence[str],
    titles: Sequence[str],
    clock: schema.Clock = "last",
) -> schema.Selection | None:
    """Choose an arm of every method; None in a study without test rows. `base`: index of the baseline arm.

    At the clock "stopped" when to stop is chosen as well, and reported with the adapters that were kept.
    """
    if base is None or "test/loss" not in names:
        return None
    chosen_by, reported = _pair_of(metric, names)
    families: dict[tuple[object, ...], list[int]] = {}
    for i, grid in enumerate(grids):
        families.setdefault(_family(grid.arm), []).append(i)
    best = {key: _best([(i, grids[i]) for i in members], chosen_by, clock) for key, members in families.items()}
    picked = [i for i in best.values() if i is not None]
    baseline = best[_family(grids[base].arm)]
    if not picked or baseline is None:
        return None
    compared = differences([grids[i] for i in picked], grids[baseline], shown[baseline], [reported], clock)
    of = dict(zip(picked, compared, strict=True))
    methods = [
        schema.Selected(
            method_title=titles[i],
            arm_id=grids[i].arm.id,
            arm_name=shown[i],
            candidates=len(families[key]),
            is_baseline=i == baseline,
            validation=_final(grids[i], chosen_by, clock),
            test=_final(grids[i], reported, clock),
            scores={name: _final(grids[i], name, clock) for name in names if name.startswith("test/")},
            difference=of[i].get(reported),
        )
        for key, i in best.items()
        if i is not None
    ]
    sign = -1.0 if METRICS[reported].higher_is_better else 1.0
    methods.sort(key=lambda one: np.inf if one.test.mean is None else sign * one.test.mean)
    return schema.Selection(
        chosen_by=chosen_by,
        reported=reported,
        methods=methods,
        sentence=_sentence(methods, chosen_by, reported) + (_IN_TIME if clock == "stopped" else ""),
    )


def _pair_of(
    metric: schema.SeriesName, names: Sequence[schema.SeriesName]
) -> tuple[schema.SeriesName, schema.SeriesName]:
    """The score asked for on validation and on test rows, the loss where there is no such pair."""
    score = metric.rpartition("/")[2]
    both = [name for name in names if name in (f"validation/{score}", f"test/{score}")]
    return (both[0], both[1]) if len(both) == 2 else ("validation/loss", "test/loss")


def _family(arm: ArmRecord) -> tuple[object, ...]:
    """All of an arm but what is tuned: rates, consistency weight, and settings of the training that may differ.

    Where it drops is not tuned: arms that differ in place, axis, window, layers or any other option are methods apart.
    """
    sites = tuple(site.kind for site in arm.sites)
    return arm.method, sites, arm.consistency_kind, arm.native, arm.rank, arm.alpha


def _best(members: Sequence[tuple[int, ArmGrid]], name: schema.SeriesName, clock: schema.Clock) -> int | None:
    """The member with the best mean over the seeds that all members have finished; None before there is any."""
    values = {i: dict(zip([run.seed for run in g.runs], _column(g, name, clock), strict=True)) for i, g in members}
    seeds = set.intersection(*({s for s, v in found.items() if np.isfinite(v)} for found in values.values()))
    if not seeds:
        return None
    sign = -1.0 if METRICS[name].higher_is_better else 1.0
    means = {i: sign * float(np.mean([found[seed] for seed in seeds])) for i, found in values.items()}
    return min(means, key=means.__getitem__)


def _column(grid: ArmGrid, name: schema.SeriesName, clock: schema.Clock) -> list[float]:
    if clock == "stopped":
        stopped: list[float] = grid.stopped(name).tolist()
        return stopped
    nothing = [float("nan")] * len(grid.runs)
    return nothing if grid.final_step is None else grid.column(name, grid.final_step).tolist()


def _final(grid: ArmGrid, name: schema.SeriesName, clock: schema.Clock) -> schema.Estimate:
    return estimate(grid, np.array(_column(grid, name, clock)))


def _sentence(methods: Sequence[schema.Selected], chosen_by: schema.SeriesName, reported: schema.SeriesName) -> str:
    most = max(method.candidates for method in methods)
    told = METRICS[reported].words
    if most == 1:
        first = "Every method has one setting, so nothing was chosen;"
        return f"{first} {told} is measured on rows that no choice was made on."
    return (
        f"Each method's setting (of up to {several(most, 'candidate')}) was chosen by its mean "
        f"{METRICS[chosen_by].words} over the seeds, and {told} is reported on other held-out rows. The choice and the "
        "report share the seeds."
    )
