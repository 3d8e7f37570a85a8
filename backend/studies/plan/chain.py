"""How a paired t statistic goes on as seeds are added, when nothing differs: an exact chain, no normal approximation.

Of n differences x let u = Σx / √(Σx²), so that t = u √(n−1) / √(n − u²). Where x is normal with mean 0, Σx² is complete
and sufficient for its spread, and every u so far is free of it: they are independent (Basu 1955). So u is a Markov
chain. With m seeds more, u' = u cos φ + v sin φ, where v is the same of the m new ones alone and cos² φ is
Beta(n/2, m/2), all independent of each other and of the past.

A state is written as a normal score z: the quantile at which a standard normal variable has the probability that u has
under n. A grid of cells in z is then as fine for every n.
"""

from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy import special

Floats = NDArray[np.float64]

_REACH, _CELLS = 7.5, 240
EDGES: Floats = np.linspace(-_REACH, _REACH, _CELLS + 1)
MIDDLES: Floats = (EDGES[1:] + EDGES[:-1]) / 2
_POINTS: Floats = np.linspace(-6.0, 6.0, 41)  # of v in normal scores, where the trapezoid rule converges fastest
_TABLE = 4097  # entries of the table of φ's distribution


def share(n: int, z: Floats) -> Floats:
    """Return u / √n of n ≥ 2 differences, in −1 to 1, at normal scores `z`."""
    t = special.stdtrit(n - 1, special.ndtr(-np.abs(z)))  # of the lower tail, which keeps its digits
    found: Floats = -np.sign(z) * t / np.sqrt(n - 1 + t * t)
    return found


@lru_cache(maxsize=64)
def step(n: int, more: int) -> Floats:
    """Return P(next state > EDGES[i] | state MIDDLES[j] after n seeds), [edges, cells], with `more` seeds added."""
    u = np.sqrt(n) * share(n, MIDDLES)
    wanted = np.sqrt(n + more) * share(n + more, EDGES)
    above = np.zeros((len(EDGES), len(MIDDLES)))
    for v, w in zip(*_new(more), strict=True):
        # u cos φ + v sin φ = length · cos(φ − phase) is above c where φ is within arccos(c / length) of the phase.
        length, phase = np.hypot(u, v), np.arctan2(v, u)
        half = np.arccos(np.clip(wanted[:, None] / length, -1.0, 1.0))
        above += w * (_mixing(n, more, phase + half) - _mixing(n, more, phase - half))
    return above


def _new(more: int) -> tuple[Floats, Floats]:
    """Return values of the new seeds' v and their weights; one seed alone has its sign only."""
    if more == 1:
        return np.array([-1.0, 1.0]), np.array([0.5, 0.5])
    weight = np.exp(-_POINTS * _POINTS / 2)
    return np.sqrt(more) * share(more, _POINTS), weight / weight.sum()


def _mixing(n: int, more: int, phi: Floats) -> Floats:
    """Return P(φ ≤ phi) where cos² φ is Beta(n/2, m/2): linear between the entries of a table."""
    found: Floats = np.interp(phi, *_mixing_table(n, more))
    return found


@lru_cache(maxsize=64)
def _mixing_table(n: int, more: int) -> tuple[Floats, Floats]:
    at = np.linspace(0.0, np.pi / 2, _TABLE)
    return at, special.betainc(more / 2, n / 2, np.sin(at) ** 2)
