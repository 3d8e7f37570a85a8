"""How many seeds a paired t test needs (Cohen 1988, ch. 2; exact power from the noncentral t distribution).

With n pairs, true mean difference δ and standard deviation s of the differences, T follows a noncentral t with n −
1 degrees of freedom and noncentrality √n · δ / s; power = P(|T| > t(n−1, 1−α/2)). s = √(s₁² + s₂² − 2ρ s₁ s₂): the
seed correlation ρ is in it.

The power is integrated over the spread of the sample, V ~ χ²(n − 1): P(|Z + √n δ/s| > t √(V/(n−1))) with Z normal.
SciPy's noncentral t is not a number for some large shifts, which would read as enough seeds.
"""

from functools import cache, lru_cache

import numpy as np
from scipy import special

from .records import Floats

POWER = 0.80
ALPHA = 0.05
CAP = 1000
_Z = np.linspace(-8.5, 8.5, 137)  # V's quantiles by normal scores, where the trapezoid rule converges fastest
_WEIGHTS = np.exp(-_Z * _Z / 2) * (_Z[1] - _Z[0]) / np.sqrt(2 * np.pi)


def paired_t_power(n: int, effect: float, alpha: float = ALPHA) -> float:
    """Return the power of a two-sided paired t test of n ≥ 2 pairs; `effect` is |δ| / s."""
    limits, shift = _limits(n - 1, alpha), abs(effect) * n**0.5
    return float(_WEIGHTS @ (special.ndtr(shift - limits) + special.ndtr(-shift - limits)))


@lru_cache(maxsize=2048)
def _limits(df: int, alpha: float) -> Floats:
    """Return what |Z + shift| has to pass, for each of the spreads that are integrated over."""
    critical = special.stdtrit(df, 1 - alpha / 2)
    limits: Floats = critical * np.sqrt(special.chdtri(df, special.ndtr(-_Z)) / df)
    return limits


@cache
def _normal_shift(alpha: float) -> float:
    """Return the noncentrality at which a two-sided z test has the wanted power, its other tail left out."""
    return float(special.ndtri(1 - alpha / 2) + special.ndtri(POWER))


def seeds_needed(mean: float | None, sd: float | None, alpha: float = ALPHA) -> int | None:
    """Return the fewest pairs (2 to CAP) with 80 % power if the true difference is `mean` and its spread `sd`.

    None where the difference is 0, the spread is unknown or 0, or more than CAP pairs are needed.
    """
    if not mean or not sd:
        return None
    effect = abs(mean) / sd
    # Power grows with n. The normal distribution's answer is a little too small, so few steps bracket the true one.
    low, step = max(1, min(CAP - 1, int(min(_normal_shift(alpha) / effect, CAP) ** 2))), 2
    while low > 1 and paired_t_power(low, effect, alpha) >= POWER:
        low = max(1, low - step)
        step *= 2
    high, step = min(low + 2, CAP), 2
    while paired_t_power(high, effect, alpha) < POWER:
        if high >= CAP:
            return None
        low, high, step = high, min(high + step, CAP), 2 * step
    while high - low > 1:
        middle = (low + high) // 2
        if paired_t_power(middle, effect, alpha) < POWER:
            low = middle
        else:
            high = middle
    return high
