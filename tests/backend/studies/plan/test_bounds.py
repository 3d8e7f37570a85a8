"""Bounds of looks: the error that they spend, by simulation of t tests and by the tables of the normal limit."""

import numpy as np
import pytest
from scipy import stats

from backend.studies.plan.bounds import nominal_levels, spent

RUNS = 300_000


def crossed_first(looks: tuple[int, ...], levels: tuple[float, ...], seed: int = 5) -> list[float]:
    """The share of studies without any difference whose t test first falls to its level at each look."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((looks[-1], RUNS))
    waiting, found = np.ones(RUNS, bool), []
    for n, level in zip(looks, levels, strict=True):
        t = x[:n].mean(0) / x[:n].std(0, ddof=1) * n**0.5
        now = waiting & (t >= stats.t.isf(level, n - 1))
        found.append(float(now.mean()))
        waiting &= ~now
    return found


@pytest.mark.parametrize("looks", [(3, 5, 8), (5, 8, 12), (3, 4, 5, 6), (2, 3), (8, 9, 16)])
@pytest.mark.parametrize("level", [0.025, 0.1])
def test_each_look_spends_its_share(looks: tuple[int, ...], level: float) -> None:
    """The chance of a first crossing at each look is what the spending function says, to three standard errors."""
    spending = np.diff([0.0, *(spent(level, n / looks[-1]) for n in looks)])
    found = crossed_first(looks, nominal_levels(looks, level))
    assert np.abs(np.array(found) - spending).max() < 3.2 * (spending.max() / RUNS) ** 0.5
    assert sum(spending) == pytest.approx(level)


def test_plain_looks_spend_too_much() -> None:
    """The plain level at every look: what the bounds are for."""
    assert sum(crossed_first((3, 5, 8), (0.025,) * 3)) > 0.04


def test_one_look_is_the_plain_test() -> None:
    """Nothing is lost to a plan that looks once."""
    assert nominal_levels((5,), 0.025 / 7) == (pytest.approx(0.025 / 7, rel=1e-9),)


def test_many_seeds_have_the_bounds_of_the_tables() -> None:
    """With many seeds a t test is a normal one: z of 2.963 and 1.969 at halves, 2.5 % (Jennison & Turnbull 2000)."""
    found = stats.norm.isf(nominal_levels((500, 1000), 0.025))
    assert found == pytest.approx([2.963, 1.969], abs=0.006)
    five = stats.norm.isf(nominal_levels((400, 800, 1200, 1600, 2000), 0.025))
    assert five == pytest.approx([4.877, 3.357, 2.680, 2.290, 2.031], abs=0.03)


def test_more_error_never_moves_a_bound_away() -> None:
    """What an arm that is settled leaves to the others may only help them (Maurer & Bretz 2013 need that)."""
    for looks in ((3, 5, 8), (5, 8, 12), tuple(range(3, 13)), (3, 64)):
        levels = np.array([nominal_levels(looks, 0.025 / arms) for arms in range(40, 0, -1)])
        assert (np.diff(levels, axis=0) >= 0).all()
