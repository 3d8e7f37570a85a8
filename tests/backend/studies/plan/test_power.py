"""What the preview promises of a plan is what its verdicts keep."""

import numpy as np
import pytest

from backend.comparison.plan.judge import judge
from backend.comparison.statistics.power import paired_t_power
from backend.studies.plan.power import LEVEL, SPREADS, power

STUDIES = 1000


def test_one_look_has_the_power_of_the_plain_test() -> None:
    """Against the noncentral t distribution, both tails of 2.5 %: the other tail is negligible."""
    for found, spread in zip(power((8,), 0.02, 1), SPREADS, strict=True):
        assert found.spread == pytest.approx(0.02 * spread)
        assert found.better == pytest.approx(paired_t_power(8, 1 / spread, 2 * LEVEL), abs=0.012)


def test_more_arms_and_wider_spreads_find_less() -> None:
    """Each of them costs, and further looks cost little."""
    one, seven = power((5, 12), 0.02, 1), power((5, 12), 0.02, 7)
    assert all(a.better > b.better for a, b in zip(one, seven, strict=True))
    assert [found.better for found in seven] == sorted((found.better for found in seven), reverse=True)
    assert abs(power((12,), 0.02, 7)[1].better - seven[1].better) < 0.03


@pytest.mark.parametrize("place", [1, 2])
def test_the_promise_is_kept(place: int) -> None:
    """Studies of three arms, one of them truly better by just what matters: told so as often as promised, or more."""
    promised = power((5, 12), 0.02, 3)[place]
    rng = np.random.default_rng(11)
    told = equal = 0
    for _ in range(STUDIES):
        arms = rng.normal(0.0, promised.spread, (3, 12)) - np.array([0.02, 0.0, 0.0])[:, None]
        kinds = [one.kind for one in judge(arms, np.zeros(12), (5, 12), 0.02)]
        told += kinds[0] in ("better", "better_by_more")
        equal += kinds[1] == "no_difference"
    assert told / STUDIES == pytest.approx(promised.better, abs=0.05)
    assert equal / STUDIES == pytest.approx(promised.no_difference, abs=0.05)
