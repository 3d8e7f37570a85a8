"""What paired differences of one arm say against a size: a one-sided p, and where an interval of a level ends.

Values are turned so that lower is better, and +inf is a run that diverged: worse than any number. An arm that diverged
in any seed is never better than the baseline, and never worse than one that did.
"""

import math
from dataclasses import dataclass

import numpy as np
from scipy import special

from backend.comparison.statistics.records import Floats

_BITS = 4 * float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Pairs:
    """n differences arm − baseline: +inf where the arm diverged, −inf where the baseline did, NaN where both did.

    mean: of the finite ones, None without any.  sd: 0 where they do not vary.  arm_fails, base_fails: whether the arm
    or the baseline diverged in any seed.
    """

    values: Floats
    mean: float | None
    sd: float
    arm_fails: bool
    base_fails: bool

    @classmethod
    def of(cls, arm: Floats, base: Floats) -> "Pairs":
        """Pair values of the same seeds, shape [n] without NaN; what differs in the last bits only is alike."""
        with np.errstate(invalid="ignore", over="ignore"):
            values = arm - base
            finite = values[np.isfinite(values)]
            mean = float(finite.mean()) if len(finite) else np.nan
            spread = float(finite.std(ddof=1)) if len(finite) > 1 else 0.0
        largest = max(float(np.abs(one[np.isfinite(one)]).max(initial=0.0)) for one in (arm, base))
        rounding = max(1e-12 * float(np.abs(finite).max(initial=0.0)), _BITS * largest)
        alike = len(finite) < 2 or not np.isfinite(spread) or float(np.ptp(finite)) <= rounding
        return cls(
            values=values,
            mean=mean if np.isfinite(mean) else None,  # losses near the largest float: their sum is no number
            sd=0.0 if alike else spread,
            arm_fails=bool(np.isinf(arm).any()),
            base_fails=bool(np.isinf(base).any()),
        )

    def p_below(self, size: float) -> float:
        """Return the one-sided p of "the mean is `size` or more". 1 where the arm diverged in any seed."""
        return 1.0 if self.arm_fails else self._p(size, 1.0)

    def p_above(self, size: float) -> float:
        """Return the one-sided p of "the mean is `size` or less". 1 where the baseline diverged in any seed."""
        return 1.0 if self.base_fails else self._p(size, -1.0)

    def _p(self, size: float, way: float) -> float:
        n = len(self.values)
        if n < 2:
            return 1.0
        if self.sd == 0.0 or self.arm_fails or self.base_fails:  # no spread to test by: signs are coin tosses
            for_it = int((way * (size - self.values) > 0).sum())
            return float(special.bdtrc(for_it - 1, n, 0.5)) if for_it else 1.0
        assert self.mean is not None
        return float(special.stdtr(n - 1, -way * (size - self.mean) / self.sd * n**0.5))

    def below(self, level: float) -> float | None:
        """Return the size that the mean is below, at a one-sided `level`; None where nothing bounds it."""
        return self._end(level, 1.0)

    def above(self, level: float) -> float | None:
        """Return the size that the mean is above, at a one-sided `level`; None where nothing bounds it."""
        return self._end(level, -1.0)

    def _end(self, level: float, way: float) -> float | None:
        n, mean = len(self.values), self.mean
        if self.arm_fails or self.base_fails or n < 2 or mean is None:
            return None
        if self.sd == 0.0:
            return mean if 0.5**n <= level else None
        return mean - way * float(special.stdtrit(n - 1, level)) * self.sd / math.sqrt(n)
