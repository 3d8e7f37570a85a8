"""When a difference is clear enough to be told at a look: group-sequential bounds for paired t tests of few seeds.

Looking often at growing data finds "differences" that are none. So the error is spent: by the look at a share τ of the
most seeds, α(τ) = 2 − 2 Φ(Φ⁻¹(1 − α/2) / √τ) of it (Lan & DeMets 1983, the form that follows O'Brien & Fleming 1979:
little early, nearly all at the end). A bound at each look makes the chance of a first crossing there just what is
spent. It is given as a nominal level: the one-sided p that a plain paired t test has to fall to. One look alone has
the plain test's level. The joint distribution of the looks is that of `chain`, exact for t statistics.
"""

from functools import lru_cache

import numpy as np
from scipy import special

from .chain import EDGES, Floats, step


def spent(level: float, part: float) -> float:
    """Return how much of a one-sided `level` is spent when a `part` (0 to 1) of the most seeds is there."""
    return level if part == 1 else float(2.0 * special.ndtr(special.ndtri(level / 2) / np.sqrt(part)))


@lru_cache(maxsize=4096)
def nominal_levels(looks: tuple[int, ...], level: float) -> tuple[float, ...]:
    """Return the one-sided p at each look (rising numbers of seeds, from two) that spends `level` by the last one."""
    mass: Floats = np.diff(special.ndtr(EDGES))  # of the cells, of those that crossed no bound yet
    found: list[float] = []
    before = 0.0
    for place, n in enumerate(looks):
        now = spent(level, n / looks[-1])
        if place == 0:
            above, bound = special.ndtr(-EDGES), float(-special.ndtri(now))
        else:
            above = step(looks[place - 1], n - looks[place - 1]) @ mass
            bound = _where(above, now - before)
        found.append(float(special.ndtr(-bound)))
        before = now
        if place < len(looks) - 1:
            mass = _below(above, bound)
    return tuple(found)


def _where(above: Floats, wanted: float) -> float:
    """Return the state above which there is just `wanted` of the mass; `above`: what is above each edge."""
    falling = np.log(np.maximum(above, 1e-300))
    return float(np.interp(-np.log(wanted), -falling, EDGES))


def _below(above: Floats, bound: float) -> Floats:
    """Return the mass of each cell under the bound; of the cell that holds it, what is left."""
    at = float(np.exp(np.interp(bound, EDGES, np.log(np.maximum(above, 1e-300)))))
    kept: Floats = np.maximum(-np.diff(np.maximum(above, at)), 0.0)
    return kept
