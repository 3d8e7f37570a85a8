"""Every arm against the baseline, in every compared quantity, with Holm's correction over the arms."""

from collections.abc import Callable, Iterable, Sequence
from math import isfinite

import numpy as np

from backend.shared.metrics import METRICS

from . import schema
from .arms import numbers
from .statistics.grid import ArmGrid
from .statistics.holm import holm
from .statistics.matrix import pairwise
from .statistics.paired import PairedResult, PairedValues, compare, pair, pair_last_with_stopped, pair_stopped
from .statistics.power import seeds_needed
from .statistics.signflip import smallest_p
from .words import ALPHA, DECIDES_FROM, Judged, meaning, several

# More arms than this make a matrix that nobody can read; the table against the baseline has them all.
MATRIX_ARMS = 22
_PAIRS: dict[Judged, Callable[[ArmGrid, ArmGrid, str], PairedValues]] = {
    "last": pair,
    "stopped": pair_stopped,
    "last_against_stopped": pair_last_with_stopped,
}


def differences(
    grids: Sequence[ArmGrid],
    baseline: ArmGrid,
    baseline_name: str,
    metrics: Iterable[schema.SeriesName],
    judged: Judged = "last",
) -> list[dict[schema.SeriesName, schema.Difference]]:
    """Return each arm's differences to the baseline by metric, in the order of `grids`; none for the baseline.

    `judged`: both at the last evaluation, both stopped, or the arm at its last and the baseline stopped. Each is a
    Holm family of its own in each quantity.
    """
    rows: list[dict[schema.SeriesName, schema.Difference]] = [{} for _ in grids]
    others = [i for i, grid in enumerate(grids) if grid is not baseline]
    for metric in metrics:
        paired = [_PAIRS[judged](grids[i], baseline, metric) for i in others]
        results = [compare(values) for values in paired]
        adjusted = holm([result.p for result in results])
        tested = sum(result.p is not None for result in results)
        for i, values, result, p_holm in zip(others, paired, results, adjusted, strict=True):
            forbidden = _forbidden(metric, grids[i], baseline, baseline_name)
            rows[i][metric] = _difference(metric, values, result, p_holm, tested, baseline_name, forbidden, judged)
    return rows


def stopped_differences(
    grids: Sequence[ArmGrid], baseline: ArmGrid, baseline_name: str, metrics: Iterable[schema.SeriesName]
) -> tuple[list[dict[schema.SeriesName, schema.Difference]], list[dict[schema.SeriesName, schema.Difference]]]:
    """Return the differences with both stopped, and those of the last evaluation to the baseline stopped in time.

    Quantities that no run of the baseline has a stopped value of are left out. The second has an entry for the
    baseline, too: what its going on has cost, one test a quantity.
    """
    known = [metric for metric in metrics if np.isfinite(baseline.stopped(metric)).any()]
    both = differences(grids, baseline, baseline_name, known, "stopped")
    against = differences(grids, baseline, baseline_name, known, "last_against_stopped")
    own = against[next(i for i, grid in enumerate(grids) if grid is baseline)]
    for metric in known:
        values = pair_last_with_stopped(baseline, baseline, metric)
        result = compare(values)
        own[metric] = _difference(metric, values, result, result.p, 1, baseline_name, {}, "last_against_stopped")
    return both, against


def _difference(
    metric: schema.SeriesName,
    values: PairedValues,
    result: PairedResult,
    p_holm: float | None,
    family: int,
    baseline_name: str,
    forbidden: dict[schema.Decision, str],
    judged: Judged,
) -> schema.Difference:
    interval = result.difference
    decided: schema.Decision = "undecided"
    way: schema.Decision = "lower" if (interval.mean or 0.0) < 0 else "higher"
    if p_holm is not None and p_holm < ALPHA and interval.n >= DECIDES_FROM and way not in forbidden:
        decided = way
    testable = result.p_t is not None
    needed = seeds_needed(interval.mean, interval.sd) if testable else None
    needed_holm = seeds_needed(interval.mean, interval.sd, ALPHA / max(family, 1)) if testable else None
    smallest = smallest_p(interval.n)
    spans_zero = interval.lo is None or interval.hi is None or interval.lo <= 0.0 <= interval.hi
    return schema.Difference(
        metric=metric,
        step=values.step,
        n=interval.n,
        mean=interval.mean,
        lo=interval.lo,
        hi=interval.hi,
        half_width=interval.half_width,
        sd=interval.sd,
        p_t=result.p_t,
        p_sign_flip=None if result.sign_flip is None else result.sign_flip.p,
        sign_flip=None if result.sign_flip is None else result.sign_flip.kind,
        smallest_p=smallest,
        p_holm=p_holm,
        effect_size=result.effect_size,
        effect_size_corrected=result.effect_size_corrected,
        seed_correlation=result.seed_correlation,
        decided=decided,
        interval_spans_zero=spans_zero,
        meaning=meaning(
            result,
            metric,
            decided=decided,
            p_holm=p_holm,
            family=family,
            smallest=smallest,
            seeds_needed=needed_holm,
            baseline=baseline_name,
            diverged=forbidden.get(way, "") if interval.mean else "",
            judged=judged,
        ),
        seeds_needed=needed,
        seeds_needed_holm=needed_holm,
        pairs=[
            schema.Pair(seed=seed, value=value)
            for seed, value in zip(values.seeds, (values.left - values.right).tolist(), strict=True)
            if isfinite(value)
        ],
    )


def _forbidden(
    metric: schema.SeriesName, grid: ArmGrid, baseline: ArmGrid, baseline_name: str
) -> dict[schema.Decision, str]:
    """Return the verdicts that diverged runs forbid, each with its sentence: the worst outcome is in no difference.

    An arm that diverged in some seed is never better than the baseline, and not worse than one that did.
    """
    higher = METRICS[metric].higher_is_better
    found: dict[schema.Decision, str] = {}
    if grid.diverged:
        better: schema.Decision = "higher" if higher else "lower"
        seeds = f"{len(grid.diverged)} of {several(len(grid.runs), 'seed')}"
        found[better] = f" {seeds} diverged, the worst there is: no verdict of better."
    if baseline.diverged:
        worse: schema.Decision = "lower" if higher else "higher"
        seeds = f"{len(baseline.diverged)} of {several(len(baseline.runs), 'seed')}"
        found[worse] = f" {baseline_name} diverged in {seeds}, the worst there is: no verdict of worse."
    return found


def matrix(
    grids: Sequence[ArmGrid], ranked: Sequence[int], metric: schema.SeriesName, clock: schema.Clock = "last"
) -> schema.Pairwise | None:
    """Compare the first MATRIX_ARMS of `ranked` (indices of `grids`) with each other; None for fewer than two.

    At the clock "last" all arms are read at the last step that every one of them was evaluated at, or at the end of
    each run where some may stop early or are planned longer.
    """
    members = [grids[i] for i in ranked if grids[i].finished]
    shown = members[:MATRIX_ARMS]
    if len(shown) < 2:
        return None
    seeds = sorted({run.seed for grid in shown for run in grid.runs})
    place = {seed: i for i, seed in enumerate(seeds)}
    values = np.full((len(shown), len(seeds)), np.nan)
    own_ends = any(one.stops_early or not one.as_long_as(shown[0]) for one in shown)
    step = max(set.intersection(*(set(grid.step.tolist()) for grid in shown)), default=None)
    for row, grid in enumerate(shown):
        seats = [place[run.seed] for run in grid.runs]
        end = grid.final_step if own_ends else step
        if clock == "stopped":
            values[row, seats] = grid.stopped(metric)
        elif end is not None:
            values[row, seats] = grid.column(metric, end)
    found = pairwise(values)

    def table(array: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> list[list[float | None]]:
        return [numbers(row) for row in array]

    return schema.Pairwise(
        metric=metric,
        clock=clock,
        arm_ids=[grid.arm.id for grid in shown],
        n=found.n.tolist(),
        mean=table(found.mean),
        lo=table(found.mean - found.half_width),
        hi=table(found.mean + found.half_width),
        p_t=table(found.p_t),
        p_holm=table(found.p_holm),
        arms_left_out=len(members) - len(shown),
    )


def not_told_apart(
    grids: Sequence[ArmGrid], leader: ArmGrid, metric: schema.SeriesName, judged: Judged = "last"
) -> list[int]:
    """Return which other arms (indices) with finished runs no corrected test tells apart from `leader`."""
    others = [i for i, grid in enumerate(grids) if grid is not leader and grid.finished]
    adjusted = holm([compare(_PAIRS[judged](grids[i], leader, metric)).p for i in others])
    return [i for i, p in zip(others, adjusted, strict=True) if p is None or p >= ALPHA]
