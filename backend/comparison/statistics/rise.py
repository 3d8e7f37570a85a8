"""Overfitting as an amount: how far a validation loss ends above where it was lowest, however often one looked.

The end is the mean of a run's last quarter of evaluations, and the low is a quarter as long, so that more looks give no
more chances. Where the low lies is chosen by the *other* seeds on one half of the validation rows, and read of this
seed on the other half: neither the luck of rows nor of a look is in the number, which is 0 on average under a flat
curve.

Its interval is that of crossed components, seeds × halves (Satterthwaite 1946, Biometrics Bulletin 2): where the
halves disagree by more than seeds explain, the rows are few, and the interval grows. Simulated (docs/lab-log.md):
"rises" under flat curves in at most 5 % at 160 to 10,000 rows and 5 to 20 looks; a rise of 0.2 at 512 rows found in 9
of 10.
"""

from dataclasses import dataclass

import numpy as np

from .intervals import Interval, t_quantile
from .records import Floats, Ints

SHARE = 0.25  # of the evaluations, for both ends of the difference
FEWEST = 3  # evaluations; and seeds, for leaving one out and still having a spread


@dataclass(frozen=True)
class Rise:
    """amounts: float64 [R], the mean of both halves; NaN of runs that ended too early to have one.  lowest: the columns
    where the lowest evaluation lies, sorted, as either half and each seed left out has it.  low, end: for each run the
    columns whose means are its low (by both halves, one after the other) and its end.
    """

    amounts: Floats
    interval: Interval
    lowest: Ints
    low: tuple[Ints, ...]
    end: tuple[Ints, ...]

    def of(self, values: Floats) -> float | None:
        """Return how far another quantity [R, S] changed meanwhile, averaged over the runs; None where unknown."""
        pairs = zip(values, self.low, self.end, strict=True)
        changes = np.array([row[end].mean() - row[low].mean() for row, low, end in pairs if len(low)])
        changes = changes[np.isfinite(changes)]
        return float(changes.mean()) if len(changes) else None


def width(looks: int) -> int:
    """Return how many evaluations an end of the difference is the mean of."""
    return max(1, int(SHARE * looks + 0.5))


def rise(a: Floats, b: Floats) -> Rise | None:
    """Return by how much the loss of R runs ends above its low; `a` and `b` are the halves' losses [R, S], NaN where a
    run was not evaluated. None for no run, or fewer than three evaluations that all runs have.

    Fewer than three runs choose for themselves, on the other half alone: no verdict should rest on them.
    """
    usable = np.isfinite(a) & np.isfinite(b)
    common = np.flatnonzero(usable.all(axis=0)) if len(a) else np.empty(0, np.int64)
    if len(common) < FEWEST:
        return None
    wide = width(len(common))
    apart = np.full((len(a), 2), np.nan)
    lows, ends = [], []
    for run in range(len(a)):
        end = np.flatnonzero(usable[run])[-wide:]
        earlier = common[common < end[0]]
        picked = []
        for side, (asked, told) in enumerate(((a, b), (b, a))):
            start = _lowest(_asked(asked, run)[earlier], wide)
            if start is not None:
                at = earlier[start : start + wide]
                picked.append(at)
                apart[run, side] = told[run, end].mean() - told[run, at].mean()
        lows.append(np.concatenate(picked) if picked else np.empty(0, np.int64))
        ends.append(end)
    lowest = [common[int(np.argmin(_asked(half, run)[common]))] for half in (a, b) for run in range(len(a))]
    return Rise(apart.mean(axis=1), _interval(apart), np.unique(lowest), tuple(lows), tuple(ends))


def _asked(half: Floats, run: int) -> Floats:
    """Who says where a run's low lies: the other runs, the run itself where there are too few."""
    asked: Floats = half[run] if len(half) < FEWEST else np.delete(half, run, axis=0).mean(axis=0)
    return asked


def _lowest(values: Floats, wide: int) -> int | None:
    if len(values) < wide:
        return None
    sums = np.convolve(values, np.ones(wide), "valid")
    return int(np.argmin(sums))


def _interval(apart: Floats) -> Interval:
    """Return the mean of [R, 2] with its 95 % interval by crossed components; without one where nothing varies."""
    known = apart[np.isfinite(apart).all(axis=1)]
    n = len(known)
    if n == 0:
        return Interval(0, None, None, None)
    seeds, mean = known.mean(axis=1), float(known.mean())
    if n < FEWEST:
        return Interval(n, mean, None, None)
    of_seeds = 2 * float(seeds.var(ddof=1))
    halves = known.mean(axis=0)
    of_halves = n * float(halves.var(ddof=1))
    rest = float(((known - seeds[:, None] - halves + mean) ** 2).sum()) / (n - 1)
    extra = max(0.0, of_halves - rest)
    total = of_seeds + extra
    if total <= (1e-12 * max(1.0, abs(mean))) ** 2:
        return Interval(n, mean, 0.0, None)
    parts = of_seeds**2 / (n - 1) + (of_halves**2 + rest**2 / (n - 1) if extra else 0.0)
    df = max(1.0, total**2 / parts)
    return Interval(n, mean, float(seeds.std(ddof=1)), float(t_quantile(df)) * (total / (2 * n)) ** 0.5)
