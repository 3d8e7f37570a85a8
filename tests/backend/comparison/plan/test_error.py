"""Wrong verdicts are as rare as a plan says, whatever the noise, and watching or extending does not change that.

Eight arms of which none is better, or all are worse by what matters. The figures of longer runs: docs/lab-log.md.
"""

import numpy as np
import pytest

from backend.comparison.plan.judge import judge
from tests.backend.comparison.plan.simulated import BETTER, KINDS, LOOKS, Kind, judged, raced, share, values

STUDIES = 1000
BY_NAME = {kind.name: kind for kind in KINDS}
FAIR = [kind for kind in KINDS if kind.skewed != "arms"]


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAIR, ids=lambda kind: kind.name)
def test_nothing_is_better_where_nothing_is(kind: Kind) -> None:
    """All looks taken: 2.5 % of studies, to three standard errors."""
    assert share(judged(kind, STUDIES, np.zeros), BETTER) <= 0.025 + 3 * (0.025 / STUDIES) ** 0.5


@pytest.mark.slow
def test_skew_of_the_judged_arms_alone_stays_under_six_percent() -> None:
    """The worst case for a t test of few seeds: the side that matters has the long tail."""
    assert share(judged(BY_NAME["judged arms skewed, baseline not"], STUDIES, np.zeros), BETTER) <= 0.06


@pytest.mark.slow
@pytest.mark.parametrize("kind", FAIR, ids=lambda kind: kind.name)
def test_what_matters_is_not_called_nothing(kind: Kind) -> None:
    """All arms worse by just what matters: 5 % of studies say of any that it makes no difference, hardly one better."""
    told = list(judged(kind, STUDIES, np.ones))
    assert share(iter(told), ("no_difference",)) <= 0.05
    assert share(iter(told), BETTER) <= 0.02


@pytest.mark.slow
def test_both_clocks_together_stay_under_five_percent() -> None:
    """The same runs judged at their last step and stopped in time, which agree in part."""
    rng = np.random.default_rng(5)
    kind, wrong = KINDS[0], 0
    for _ in range(STUDIES):
        last, other = values(kind, rng, 8), values(kind, rng, 8)
        stopped = 0.6 * last + 0.8 * other
        told = [judge(found[1:], found[0], LOOKS, 1.0) for found in (last, stopped)]
        wrong += any(one.kind in BETTER for clock in told for one in clock)
    assert wrong / STUDIES <= 0.06


def test_whoever_watches_sees_no_more_than_whoever_waits() -> None:
    """After every single run of a study: what is told on the way is told at the end, so watching adds no error."""
    rng = np.random.default_rng(9)
    told = 0
    for _ in range(25):
        found = values(KINDS[0], rng, 8) - np.array([0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 0.0, 0.0])[:, None]
        end = {i for i, one in enumerate(judge(found[1:], found[0], LOOKS, 0.1)) if one.kind in BETTER}
        seen: set[int] = set()
        for runs in range(8, 8 * 8 + 1, 3):
            arrived = np.where((np.arange(8)[None, :] * 8 + np.arange(8)[:, None]) < runs, found, np.nan)
            seen |= {i for i, one in enumerate(judge(arrived[1:], arrived[0], LOOKS, 0.1)) if one.kind in BETTER}
        assert seen == end
        told += len(end)
    assert told > 10


@pytest.mark.parametrize("name", ["normal, correlation 0.5", "a tenth diverges"])
def test_a_race_tells_nothing_that_the_whole_plan_does_not(name: str) -> None:
    """Study by study: what stops at its verdict takes error from others, if anything, and adds none.

    Where seeds diverge an arm that stopped as better may have diverged in a seed that it was not given.
    """
    kind, rng = BY_NAME[name], np.random.default_rng(7)
    shift = np.array([0.0, 0.0, 0.0, -1.0, -2.0, -3.0, 1.0, 2.0])[:, None]
    told = stopped = 0
    for _ in range(40):
        found = values(kind, rng, 8) + shift
        race, whole = raced(found, LOOKS, 1.0), judge(found[1:], found[0], LOOKS, 1.0)
        for one, other in zip(race, whole, strict=True):
            assert one.kind not in BETTER or other.kind in BETTER or kind.diverging
            assert one.kind != "worse" or other.kind == "worse"
            told += one.kind in BETTER
            stopped += one.seeds < LOOKS[-1]
    assert told > 20
    assert stopped > 5
