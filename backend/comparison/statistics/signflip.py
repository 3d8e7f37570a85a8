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
        return SignFlip(float((np.abs(_sums(differences)) >= reach).mean()), "exact")
    extreme = int((np.abs(_draws(n) @ differences) >= reach).sum())
    return SignFlip((extreme + 1) / (DRAWS + 1), "monte_carlo")


def _sums(differences: Floats) -> Floats:
    """Return the sums of all 2^(n−1) sign patterns whose first sign is +: a pattern's mirror image has the same |sum|.

    Each difference doubles what is there; a table of the patterns would be n times as large, and kept for each n.
    """
    sums = differences[:1]
    for difference in differences[1:]:
        sums = np.concatenate((sums + difference, sums - difference))
    return sums


@lru_cache(maxsize=2)  # a study that trains has two numbers of seeds; 3 MB each at 20, 10 MB at 64
def _draws(n: int) -> Floats:
    """Return DRAWS random sign patterns, float64 [DRAWS, n]."""
    draws = np.random.default_rng(_SEED + n).integers(0, 2, (DRAWS, n)).astype(np.float64)
    return 1.0 - 2.0 * draws
