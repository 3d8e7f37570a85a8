"""Verdicts at looks: what they rest on, what they never say, and that what was told stays."""

from typing import Any

import numpy as np
import pytest
from scipy import stats

from backend.comparison.plan.judge import LEVEL, judge
from backend.comparison.statistics.holm import holm
from backend.comparison.statistics.records import Floats
from backend.studies.plan.bounds import nominal_levels

NAN, INF = float("nan"), float("inf")
LOW, EVEN = [-1.0, -1.1, -0.9, -1.05, -0.95], [0.1, -0.1, 0.05, -0.05, 0.0]


def against_zero(*arms: list[float], looks: tuple[int, ...] = (5,), smallest: float = 0.02, **more: Any) -> list[str]:
    """Kinds of arms whose differences to the baseline are these numbers."""
    return [one.kind for one in judge(np.array(arms), np.zeros(len(arms[0])), looks, smallest, **more)]


def noise(arms: int, seeds: int, seed: int = 0) -> Floats:
    """Standard normal values [arms, seeds]."""
    return np.random.default_rng(seed).standard_normal((arms, seeds))


def test_kinds() -> None:
    """Each verdict from the interval that it stands on."""
    assert against_zero(LOW, smallest=0.5) == ["better_by_more"]
    assert against_zero(LOW, smallest=1.0) == ["better"]
    assert against_zero(LOW, smallest=1.5) == ["no_difference"]
    assert against_zero([-value for value in LOW]) == ["worse"]
    assert against_zero(EVEN, smallest=0.5) == ["no_difference"]
    assert against_zero(EVEN, smallest=0.05) == ["cannot_tell"]
    assert against_zero(EVEN, smallest=0.05, looks=(5, 8)) == ["not_yet"]


def test_one_look_is_holm_of_one_sided_tests() -> None:
    """The arms that one look tells better are those that Holm's correction leaves under 2.5 %."""
    rng = np.random.default_rng(3)
    shift = np.array([0.0, 0.0, -1.0, -1.5, -2.0, -3.0, -4.0])[:, None]
    seen = set()
    for _ in range(60):
        differences = rng.standard_normal((7, 5)) + shift
        t = differences.mean(1) / differences.std(1, ddof=1) * 5**0.5
        adjusted = holm([float(p) for p in stats.t.cdf(t, 4)])
        expected = [p is not None and p <= LEVEL for p in adjusted]
        kinds = against_zero(*differences.tolist(), smallest=1e-9)
        assert [kind in ("better", "better_by_more") for kind in kinds] == expected
        seen.add(sum(expected))
    assert len(seen) > 3


def test_an_interval_holds_zero_where_nothing_is_told() -> None:
    """The interval is the test's own, one or several looks, one or several arms."""
    for seed in range(40):
        arms = noise(4, 8, seed) + np.array([0.0, -1.0, -2.0, 3.0])[:, None]
        for one in judge(arms, noise(1, 8, 1000 + seed)[0], (5, 8), 0.3):
            assert one.lo is not None
            assert one.hi is not None
            assert one.mean is not None
            assert one.lo < one.mean < one.hi
            if one.kind == "better":
                assert -0.3 <= one.hi < 0
            elif one.kind == "better_by_more":
                assert one.hi < -0.3
            elif one.kind == "worse":
                assert one.lo > 0
            elif one.kind == "cannot_tell":
                assert one.lo <= 0 <= one.hi


def test_the_ends_of_one_arm_are_those_of_the_bounds() -> None:
    """mean ± t(level of the look) · s / √n, in SciPy's own numbers."""
    values = np.array([*EVEN, 0.2, -0.3, 0.1])
    found = judge(values[None], np.zeros(8), (5, 8), 0.01)[0]
    level = nominal_levels((5, 8), LEVEL)[1]
    expected = stats.t.interval(1 - 2 * level, 7, loc=values.mean(), scale=values.std(ddof=1) / 8**0.5)
    assert (found.lo, found.hi) == pytest.approx(expected)


def test_a_look_uses_its_first_seeds_only() -> None:
    """Seeds beyond a look change nothing of what it says: an open page cannot be watched into a verdict."""
    for more in ([], [-9.0], [9.0, NAN]):
        assert against_zero(EVEN + more, LOW + more, smallest=0.05, looks=(5, 8)) == ["not_yet", "better_by_more"]


def test_what_was_told_stays() -> None:
    """Later seeds take no verdict back, and may tell more of its size."""
    rose = [*LOW, 3.0, 3.0, 3.0]
    assert against_zero(rose, looks=(5, 8), smallest=0.5) == ["better_by_more"]
    assert against_zero([*LOW, -1.0, -1.02, -0.98], looks=(5, 8), smallest=0.94) == ["better_by_more"]
    assert against_zero(LOW, looks=(5, 8), smallest=0.94) == ["better"]


def test_settled_arms_leave_their_share() -> None:
    """An arm that alone would not pass does once the others have."""
    weak = [-0.5, -0.8, -1.1, -0.2, -0.9]
    assert against_zero(weak, *[EVEN] * 6)[0] == "cannot_tell"
    assert against_zero(weak, *[LOW] * 6)[0] == "better_by_more"


def test_a_missing_seed_waits_for_its_arm_alone() -> None:
    """A lost run is no result: its arm waits, the others are judged; a lost run of the baseline keeps all waiting."""
    arms = np.array([LOW, [*LOW[:4], NAN]])
    assert [one.kind for one in judge(arms, np.zeros(5), (5,), 0.5)] == ["better_by_more", "not_yet"]
    assert [one.kind for one in judge(arms, np.array([0, 0, NAN, 0, 0]), (5,), 0.5)] == ["not_yet"] * 2
    assert against_zero(LOW[:3], looks=(5,)) == ["not_yet"]


def test_diverged_is_the_worst_outcome() -> None:
    """Never better, however good the other seeds; never no difference; worse where it does so again and again."""
    assert against_zero([*LOW[:4], INF]) == ["cannot_tell"]
    assert against_zero([*EVEN[:4], INF], smallest=5.0) == ["cannot_tell"]
    assert against_zero([INF] * 6, looks=(6,)) == ["worse"]
    assert against_zero([INF] * 5) == ["cannot_tell"], "five coin tosses are not under 2.5 %"
    assert against_zero([*LOW, -1.0, INF, -1.0], looks=(5, 8), smallest=0.5) == ["cannot_tell"]


def test_a_diverged_arm_leaves_no_share() -> None:
    """Twelve seeds of which one diverged are no evidence of better, so they hand nothing on to another arm either."""
    weak = np.array([-0.9, -0.1, -1.2, 0.2, -1.0, -0.4, -0.7, -0.2, -0.8, 0.1, 0.3, -0.6])
    fails = np.array([-1.0] * 11 + [INF])
    level = float(stats.ttest_1samp(weak, 0, alternative="less").pvalue) * 1.5  # passes alone, not as one of two
    kinds = [one.kind for one in judge(np.array([weak, fails]), np.zeros(12), (12,), 0.001, level)]
    assert kinds == ["cannot_tell", "cannot_tell"]
    assert judge(weak[None], np.zeros(12), (12,), 0.001, level)[0].kind == "better_by_more"


def test_a_diverging_baseline_is_beaten_by_signs_only() -> None:
    """No arm is worse than a baseline that diverged, and better only where it is in nearly every seed."""
    base = np.array([INF, 0.0, INF, 0.0, 0.0, INF])
    assert judge(np.full((1, 6), 1.0), base, (6,), 0.1)[0].kind == "cannot_tell"
    assert judge(np.full((1, 6), -1.0), base, (6,), 0.1)[0].kind == "better_by_more"
    both = judge(np.array([[INF, -1.0, -1.0, -1.0, -1.0, -1.0]]), base, (6,), 0.1)[0]
    assert (both.kind, both.lo, both.hi) == ("cannot_tell", None, None)


@pytest.mark.parametrize(("seeds", "kind"), [(5, "cannot_tell"), (6, "better_by_more"), (8, "better_by_more")])
def test_ties_in_every_seed_are_coin_tosses(seeds: int, kind: str) -> None:
    """The same difference in every seed has no spread; its signs are tested: 1 / 2^5 is over 2.5 %, 1 / 2^6 under."""
    same = judge(np.full((1, seeds), 0.7), np.full(seeds, 0.8), (seeds,), 0.02)[0]
    assert same.kind == kind
    assert (same.hi is None) == (kind == "cannot_tell")


def test_constant_scores_and_absurd_numbers_never_throw() -> None:
    """Nothing is claimed of what does not vary, and sums that overflow are no numbers."""
    assert against_zero([0.0] * 5, smallest=0.02) == ["cannot_tell"]
    assert against_zero([0.0] * 8, looks=(8,), smallest=0.02) == ["no_difference"]
    assert against_zero([1e308, 1e308, -1e308, 1e308, 1e308]) == ["cannot_tell"]
    assert judge(np.empty((0, 5)), np.zeros(5), (5,), 0.1) == []
