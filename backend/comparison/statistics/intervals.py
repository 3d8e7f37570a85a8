"""Means over seeds with Student's t interval: mean ± t(n−1, 97.5 %) · s / √n (Student 1908), s with n − 1 below
the line.

For three seeds the factor is 4.30, not 1.96. Two have none: its factor of 12.7 would say more of the table than of the
seeds, and hide them.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from .records import Floats, Ints

LEVEL = 0.95
INTERVAL_FROM = 3  # numbers; fewer are shown one by one


def t_quantile(df: Floats | float, level: float = LEVEL) -> Floats:
    """Return the two-sided t quantile of `df` degrees of freedom, elementwise."""
    quantile: Floats = np.asarray(special.stdtrit(df, 0.5 + level / 2), np.float64)
    return quantile


@dataclass(frozen=True)
class Interval:
    """Mean and 95 % t interval of n numbers; None where it does not exist. `sd` is the sample standard deviation."""

    n: int
    mean: float | None
    sd: float | None
    half_width: float | None

    @property
    def lo(self) -> float | None:
        """Lower end."""
        return None if self.mean is None or self.half_width is None else self.mean - self.half_width

    @property
    def hi(self) -> float | None:
        """Upper end."""
        return None if self.mean is None or self.half_width is None else self.mean + self.half_width


def t_interval(values: Floats) -> Interval:
    """Return the interval of the finite ones among `values`, shape [n]."""
    finite = values[np.isfinite(values)]
    n = len(finite)
    if n == 0:
        return Interval(0, None, None, None)
    with np.errstate(over="ignore", invalid="ignore"):
        mean = float(finite.mean())
        sd = float(finite.std(ddof=1)) if n > 1 else math.nan
    if not math.isfinite(mean):
        return Interval(n, None, None, None)  # losses near the largest float: their sum is no number
    if not math.isfinite(sd):
        return Interval(n, mean, None, None)
    half_width = float(t_quantile(n - 1)) * sd / n**0.5 if n >= INTERVAL_FROM else None
    return Interval(n, mean, sd, half_width)


@dataclass(frozen=True)
class Columns:
    """Statistics of each column of a [runs, steps] array, each of shape [steps]; NaN where one does not exist."""

    n: Ints
    mean: Floats
    sd: Floats
    half_width: Floats
    min: Floats
    max: Floats


def column_statistics(values: Floats) -> Columns:
    """Return n, mean, sd, t half-width, minimum and maximum over the finite entries of each column of `values` [R,
    S].
    """
    finite = np.isfinite(values)
    n = finite.sum(axis=0)
    some, several = n > 0, n > 1
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.where(some, np.where(finite, values, 0.0).sum(axis=0) / n, np.nan)
        deviations = np.where(finite, values - mean, 0.0)
        sd = np.where(several, np.sqrt((deviations**2).sum(axis=0) / (n - 1)), np.nan)
        half_width = np.where(
            n >= INTERVAL_FROM, t_quantile(np.maximum(n - 1, 1).astype(float)) * sd / np.sqrt(n), np.nan
        )
    low = np.where(finite, values, np.inf).min(axis=0, initial=np.inf)
    high = np.where(finite, values, -np.inf).max(axis=0, initial=-np.inf)
    return Columns(n.astype(np.int64), mean, sd, half_width, np.where(some, low, np.nan), np.where(some, high, np.nan))
