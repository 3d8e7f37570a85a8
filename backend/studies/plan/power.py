"""What a plan can find before anything is trained, for spreads of the seeds that are assumed, never an effect seen.

A size that was measured on few seeds is mostly too large, and a number of seeds worked out from it too small. What
matters is declared instead; how much the seeds' differences spread is not known before, so a range is shown. Counted
over simulated studies of fixed seed, an arm with the first share of the error: what it has before any other is settled.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import special

from .bounds import nominal_levels
from .chain import Floats

LEVEL = 0.025  # of each family of verdicts, one-sided
SPREADS = (0.5, 1.0, 2.0, 4.0)  # of the differences between seeds, in smallest differences that matter
_STUDIES = 20_000
_SEED = 20240300812


@dataclass(frozen=True)
class Power:
    """At one assumed spread (standard deviation over seeds, in the metric's units): chances of verdicts by the last
    look.

    better: that an arm which is better by just what matters is told better.  no_difference: that an arm which does not
    differ is told to make no difference that matters.
    """

    spread: float
    better: float
    no_difference: float


@lru_cache(maxsize=256)
def power(looks: tuple[int, ...], smallest: float, arms: int) -> tuple[Power, ...]:
    """Return the chances at each of `SPREADS` for one of `arms` judged arms."""
    levels = nominal_levels(looks, LEVEL / arms)
    limits = [float(-special.stdtrit(n - 1, level)) for n, level in zip(looks, levels, strict=True)]
    sums = _sums(looks)
    found = []
    for spread in SPREADS:
        better = np.zeros(_STUDIES, bool)
        same = np.zeros(_STUDIES, bool)
        for n, limit, (mean, sd) in zip(looks, limits, sums, strict=True):
            reach = limit * sd / np.sqrt(n)
            better |= mean + 1 / spread >= reach
            same |= np.abs(mean) + reach < 1 / spread
        found.append(Power(spread * smallest, float(better.mean()), float(same.mean())))
    return tuple(found)


@lru_cache(maxsize=32)
def _sums(looks: tuple[int, ...]) -> tuple[tuple[Floats, Floats], ...]:
    """Return mean and standard deviation at each look of standard normal differences, arrays [_STUDIES]."""
    values = np.random.default_rng(_SEED).standard_normal((looks[-1], _STUDIES))
    return tuple((values[:n].mean(0), values[:n].std(0, ddof=1)) for n in looks)
