"""Two arms compared by per-seed differences: a paired design, so what the seeds share cancels.

Mean difference with its t interval, paired t test (Student 1908), sign-flip test, Cohen's d of the differences (d
= mean / sd; corrected by Hedges' J(n−1) = 1 − 3 / (4(n−1) − 1)), and Pearson's correlation of the two arms over
the seeds.
"""

from dataclasses import dataclass

import numpy as np
from scipy import special

from .grid import ArmGrid
from .intervals import Interval, t_interval
from .records import Floats, Ints
from .signflip import SignFlip, sign_flip

_BIT = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class PairedValues:
    """Two arms' values over the seeds of both, in the same order; `step` is where they were read, None where each run
    has a place of its own.
    """

    step: int | None
    seeds: tuple[int, ...]
    left: Floats
    right: Floats


@dataclass(frozen=True)
class PairedResult:
    """What the pairs say; None where it does not exist (fewer than two pairs, or differences that do not vary).

    `p` is what verdicts rest on: of the t test, and of the sign-flip test where all differences are the same but zero.
    """

    difference: Interval
    p: float | None
    p_t: float | None
    sign_flip: SignFlip | None
    effect_size: float | None
    effect_size_corrected: float | None
    seed_correlation: float | None


def pair(left: ArmGrid, right: ArmGrid, quantity: str) -> PairedValues:
    """Return the values of both arms' finished runs, seed by seed, at their last common step; where runs may stop
    early or one arm trains for longer, each at its own end.
    """
    if left.stops_early or right.stops_early or not left.as_long_as(right):
        return _by_seed(left, _at_the_end(left, quantity), right, _at_the_end(right, quantity), None)
    step = _last_common_step(left, right)
    if step is None:
        return PairedValues(None, (), np.empty(0), np.empty(0))
    return _by_seed(left, left.column(quantity, step), right, right.column(quantity, step), step)


def pair_stopped(left: ArmGrid, right: ArmGrid, quantity: str) -> PairedValues:
    """Return the values of both arms' finished runs, seed by seed, each had it been stopped at its best evaluation."""
    return _by_seed(left, left.stopped(quantity), right, right.stopped(quantity), None)


def pair_last_with_stopped(left: ArmGrid, right: ArmGrid, quantity: str) -> PairedValues:
    """Return the last values of one arm's finished runs, seed by seed, and the other's had it been stopped."""
    return _by_seed(left, _at_the_end(left, quantity), right, right.stopped(quantity), None)


def _at_the_end(grid: ArmGrid, quantity: str) -> Floats:
    nothing = np.full(len(grid.runs), np.nan)
    return nothing if grid.final_step is None else grid.column(quantity, grid.final_step)


def _by_seed(left: ArmGrid, a: Floats, right: ArmGrid, b: Floats, step: int | None) -> PairedValues:
    row_of_seed = {run.seed: i for i, run in enumerate(right.runs)}
    seeds, mine, theirs = [], [], []
    for i, run in enumerate(left.runs):
        j = row_of_seed.get(run.seed)
        if j is not None and np.isfinite(a[i]) and np.isfinite(b[j]):
            seeds.append(run.seed)
            mine.append(a[i])
            theirs.append(b[j])
    return PairedValues(step, tuple(seeds), np.array(mine, np.float64), np.array(theirs, np.float64))


def compare(values: PairedValues) -> PairedResult:
    """Return the statistics of left − right over the pairs."""
    differences = values.left - values.right
    interval = t_interval(differences)
    varies = _varies(differences, max(_largest(values.left), _largest(values.right)))
    d = interval.mean / interval.sd if varies and interval.mean is not None and interval.sd else None
    if not np.isfinite(differences).all():
        return PairedResult(interval, None, None, None, None, None, None)
    n = interval.n
    p_t = None if d is None else t_test_p(d * n**0.5, n - 1)
    flipped = sign_flip(differences)
    alike = n > 1 and not varies and bool(interval.mean)
    return PairedResult(
        difference=interval,
        p=flipped.p if alike and flipped is not None else p_t,
        p_t=p_t,
        sign_flip=flipped,
        effect_size=d,
        effect_size_corrected=None if d is None or n < 3 else d * (1 - 3 / (4 * (n - 1) - 1)),
        seed_correlation=_correlation(values.left, values.right),
    )


def t_test_p(t: float, df: int) -> float:
    """Return the two-sided p of a t statistic."""
    return 2.0 * float(special.stdtr(df, -abs(t)))


def _varies(values: Floats, made_of: float = 0.0) -> bool:
    """Tell a real spread from rounding in the last bits, those of what the values were subtracted from included."""
    with np.errstate(over="ignore", invalid="ignore"):
        return len(values) > 1 and float(np.ptp(values)) > max(1e-12 * _largest(values), 4 * _BIT * made_of)


def _largest(values: Floats) -> float:
    return float(np.abs(values).max(initial=0.0))


def _correlation(left: Floats, right: Floats) -> float | None:
    if len(left) < 3 or not _varies(left) or not _varies(right):  # two points always lie on a line
        return None
    with np.errstate(over="ignore", invalid="ignore", divide="ignore", under="ignore"):
        a, b = left - left.mean(), right - right.mean()
        a, b = a / np.abs(a).max(), b / np.abs(b).max()
        r = float((a @ b) / np.sqrt((a @ a) * (b @ b)))
    return min(1.0, max(-1.0, r)) if np.isfinite(r) else None


def _last_common_step(left: ArmGrid, right: ArmGrid) -> int | None:
    common = np.intersect1d(_steps(left), _steps(right), assume_unique=True)
    return int(common[-1]) if len(common) else None


def _steps(grid: ArmGrid) -> Ints:
    rows = list(grid.finished)
    steps: Ints = grid.step[np.isfinite(grid.epoch[rows]).any(axis=0)]
    return steps
