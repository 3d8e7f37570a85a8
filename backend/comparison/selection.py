"""Fair comparison of tuned methods: each method's setting chosen on validation rows, reported on test rows.

The setting that is shown is chosen by all seeds. Cross-fitted values are free of the luck of the seeds as well: each
seed reports the setting that the other seeds chose.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from backend.shared.metrics import METRICS

from . import schema
from .arms import estimate, told
from .differences import differences
from .statistics.best_of import crossfitted, expected_best
from .statistics.grid import ArmGrid
from .statistics.holm import holm
from .statistics.intervals import t_interval
from .statistics.paired import PairedValues, compare
from .statistics.records import ArmRecord, Floats
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
    honest = _honest({key: [grids[j] for j in families[key]] for key in best}, _family(grids[base].arm), chosen_by,
                     reported, clock)  # fmt: skip
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
            crossfitted=honest[key],
            best_of=_best_of([grids[j] for j in families[key]], chosen_by, reported, clock),
        )
        for key, i in best.items()
        if i is not None
    ]
    sign = -1.0 if METRICS[reported].higher_is_better else 1.0
    methods.sort(key=lambda one: np.inf if one.test.mean is None else sign * one.test.mean)
    known = [
        (sign * one.crossfitted.value.mean, one.arm_id) for one in methods if one.crossfitted.value.mean is not None
    ]
    return schema.Selection(
        chosen_by=chosen_by,
        reported=reported,
        methods=methods,
        fair=len({method.candidates for method in methods}) == 1,
        best_arm_id=min(known)[1] if known else None,
        sentence=_sentence(methods, chosen_by, reported) + (_IN_TIME if clock == "stopped" else ""),
    )


def _table(members: Sequence[ArmGrid], name: schema.SeriesName, clock: schema.Clock, seeds: Sequence[int]) -> Floats:
    """Return a quantity of a method's arms, [arms, seeds]."""
    rows = [dict(zip([run.seed for run in grid.runs], _column(grid, name, clock), strict=True)) for grid in members]
    return np.array([[row.get(seed, np.nan) for seed in seeds] for row in rows]).reshape(len(rows), len(seeds))


def _honest(
    families: Mapping[tuple[object, ...], Sequence[ArmGrid]],
    base: tuple[object, ...],
    chosen_by: schema.SeriesName,
    reported: schema.SeriesName,
    clock: schema.Clock,
) -> dict[tuple[object, ...], schema.CrossFitted]:
    """Return every method's cross-fitted values with its paired difference to the baseline's method."""
    runs = {run.seed: run for members in families.values() for grid in members for run in grid.runs}
    seeds = sorted(runs)
    higher = bool(METRICS[chosen_by].higher_is_better)
    values = {
        key: crossfitted(
            _table(members, chosen_by, clock, seeds), _table(members, reported, clock, seeds), higher=higher
        )
        for key, members in families.items()
    }
    results = {}
    for key, own in values.items():
        both = np.isfinite(own) & np.isfinite(values[base])
        if key != base:
            results[key] = compare(
                PairedValues(None, tuple(np.array(seeds)[both].tolist()), own[both], values[base][both])
            )
    adjusted = dict(zip(results, holm([result.p for result in results.values()]), strict=True))
    found = {}
    for key, own in values.items():
        result = results.get(key)
        difference = None if result is None else result.difference
        found[key] = schema.CrossFitted(
            value=told([runs[seed] for seed in seeds], t_interval(own), own),
            n=0 if difference is None else difference.n,
            mean=None if difference is None else difference.mean,
            lo=None if difference is None else difference.lo,
            hi=None if difference is None else difference.hi,
            p_t=None if result is None else result.p,
            p_holm=adjusted.get(key),
        )
    return found


def _best_of(
    members: Sequence[ArmGrid], chosen_by: schema.SeriesName, reported: schema.SeriesName, clock: schema.Clock
) -> schema.BestOf | None:
    """Return what fewer tries would have found, over the seeds that all of a method's arms have; None without any."""
    seeds = sorted({run.seed for grid in members for run in grid.runs})
    choose, report = (_table(members, name, clock, seeds) for name in (chosen_by, reported))
    both = (np.isfinite(choose) & np.isfinite(report)).all(axis=0)
    if not both.any():
        return None
    validation, test = expected_best(
        choose[:, both].mean(axis=1), report[:, both].mean(axis=1), higher=bool(METRICS[chosen_by].higher_is_better)
    )
    return schema.BestOf(validation=validation.tolist(), test=test.tolist())


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
    fewest = min(method.candidates for method in methods)
    unequal = ""
    if fewest < most:
        unequal = (
            f" The methods had {fewest} to {most} settings: more tries find better ones, so compare what {fewest} "
            f"{'try finds' if fewest == 1 else 'tries find'}."
        )
    return (
        f"Each method's setting (of up to {several(most, 'candidate')}) was chosen by its mean "
        f"{METRICS[chosen_by].words} over the seeds, and {told} is reported on other held-out rows. The choice and the "
        f"report share the seeds; cross-fitted values do not: each seed reports what the others chose.{unequal}"
    )
