"""The sign-flip test of paired differences: under "no difference" each pair's sign is a coin toss (Fisher 1935, §21).

p is the share of the 2^n sign patterns whose |sum| is at least the observed one. Up to n = 16 all patterns are
counted (exact); beyond, 19,999 seeded random patterns and the observed one are (Monte Carlo, (b + 1) / (m + 1),
Phipson & Smyth 2010). No p can fall under 2 / 2^n: 0.25 at n = 3, 0.0625 at n = 5, 0.008 at n = 8.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np

from .records import Floats

EXACT_UP_TO = 16
DRAWS = 19_999
_SEED = 20240300812  # fixed, so that the same data give the same p on every call


@dataclass(frozen=True)
class SignFlip:
    """Two-sided p and how it was found."""

    p: float
    kind: Literal["exact", "monte_carlo"]


def smallest_p(n: int) -> float | None:
    """Return the smallest two-sided p that n pairs can reach, None for n < 1."""
    return None if n < 1 else 2.0 / 2.0**n


def sign_flip(differences: Floats) -> SignFlip | None:
    """Return the test of `differences`, shape [n]; None for n < 1 and where their sum is not finite."""
    n = len(differences)
    observed = abs(float(differences.sum()))
    if n < 1 or not math.isfinite(observed):
        return None
    # Sums of the same numbers in another order differ in the last bits; they must count as equal.
    reach = observed - 1e-12 * float(np.abs(differences).sum())
    if n <= EXACT_UP_TO:
        # A pattern and its mirror image have the same |sum|: half of them suffice.
        return SignFlip(float((np.abs(_patterns(n) @ differences) >= reach).mean()), "exact")
    extreme = int((np.abs(_draws(n) @ differences) >= reach).sum())
    return SignFlip((extreme + 1) / (DRAWS + 1), "monte_carlo")


@lru_cache(maxsize=EXACT_UP_TO)
def _patterns(n: int) -> Floats:
    """Return the 2^(n−1) sign patterns whose first sign is +, float64 [2^(n−1), n]."""
    bits = (np.arange(2 ** (n - 1))[:, None] >> np.arange(n)) & 1
    patterns: Floats = 1.0 - 2.0 * bits.astype(np.float64)
    return patterns


@lru_cache(maxsize=4)
def _draws(n: int) -> Floats:
    """Return DRAWS random sign patterns, float64 [DRAWS, n]."""
    draws = np.random.default_rng(_SEED + n).integers(0, 2, (DRAWS, n)).astype(np.float64)
    return 1.0 - 2.0 * draws
