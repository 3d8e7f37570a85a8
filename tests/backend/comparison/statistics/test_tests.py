"""Paired t, sign-flip, Holm, the matrix of all pairs and seed correlation, each against SciPy or its definition."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from backend.comparison.statistics.holm import holm
from backend.comparison.statistics.matrix import pairwise
from backend.comparison.statistics.paired import PairedValues, compare
from backend.comparison.statistics.signflip import sign_flip, smallest_p

RNG = np.random.default_rng(11)
LEFT, RIGHT = RNG.normal(0.5, 0.1, 6), RNG.normal(0.55, 0.1, 6)
P_VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=20)


def paired(left: np.ndarray, right: np.ndarray) -> PairedValues:
    return PairedValues(1, tuple(range(len(left))), left, right)


@pytest.mark.parametrize("n", [2, 3, 5, 20])
def test_paired_t_equals_scipy(n: int) -> None:
    left, right = RNG.normal(size=n), RNG.normal(0.4, 1, n)
    found, expected = compare(paired(left, right)), stats.ttest_rel(left, right)
    assert found.p_t == pytest.approx(expected.pvalue, rel=1e-9)
    low, high = expected.confidence_interval(0.95) if n > 2 else (None, None)
    assert found.difference.lo == (None if low is None else pytest.approx(low))
    assert found.difference.hi == (None if high is None else pytest.approx(high))


def test_effect_size_is_the_mean_over_the_spread_of_the_differences() -> None:
    differences = LEFT - RIGHT
    found = compare(paired(LEFT, RIGHT))
    assert found.effect_size == pytest.approx(differences.mean() / differences.std(ddof=1))
    assert found.effect_size_corrected == pytest.approx(found.effect_size * (1 - 3 / (4 * 5 - 1)))


def test_seed_correlation_equals_scipy() -> None:
    assert compare(paired(LEFT, RIGHT)).seed_correlation == pytest.approx(stats.pearsonr(LEFT, RIGHT).statistic)


def test_two_points_have_no_correlation() -> None:
    assert compare(paired(LEFT[:2], RIGHT[:2])).seed_correlation is None


@pytest.mark.parametrize("shift", [0.0, 0.1])
def test_differences_that_do_not_vary_have_no_p(shift: float) -> None:
    """0.1 added to every seed differs in the last bits only; that spread is rounding, not evidence."""
    found = compare(paired(LEFT + shift, LEFT))
    assert found.p_t is None
    assert found.effect_size is None


def test_no_pair_and_one_pair() -> None:
    nothing, one = compare(paired(LEFT[:0], RIGHT[:0])), compare(paired(LEFT[:1], RIGHT[:1]))
    assert (nothing.difference.n, nothing.p_t, nothing.sign_flip) == (0, None, None)
    assert (one.difference.n, one.p_t) == (1, None)
    assert one.sign_flip is not None
    assert one.sign_flip.p == 1.0


@pytest.mark.parametrize("n", [2, 5, 8])
def test_sign_flip_equals_scipys_exact_permutation_test(n: int) -> None:
    differences = RNG.normal(0.3, 1, n)
    expected = stats.permutation_test(
        (differences,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=np.inf
    )
    found = sign_flip(differences)
    assert found is not None
    assert found.kind == "exact"
    assert found.p == pytest.approx(expected.pvalue)


def test_sign_flip_counts_ties() -> None:
    """All differences equal: only the two patterns of one sign reach the observed sum."""
    found = sign_flip(np.full(5, 0.1))
    assert found is not None
    assert found.p == smallest_p(5) == 0.0625


def test_many_pairs_are_drawn_and_named_so() -> None:
    differences = RNG.normal(0.4, 1, 17)
    found, again = sign_flip(differences), sign_flip(differences)
    assert found == again
    assert found is not None
    assert found.kind == "monte_carlo"
    sums = np.array([abs(np.dot(signs, differences)) for signs in itertools.product((-1, 1), repeat=17)])
    exact = (sums >= abs(differences.sum()) - 1e-12).mean()
    assert found.p == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))


@given(st.lists(st.floats(-1e3, 1e3), min_size=1, max_size=10))
@settings(max_examples=60)
def test_sign_flip_is_symmetric_and_never_below_its_floor(values: list[float]) -> None:
    differences = np.array(values)
    found, mirrored = sign_flip(differences), sign_flip(-differences)
    assert found is not None
    assert found == mirrored
    floor = smallest_p(len(values))
    assert floor is not None
    assert min(floor, 1.0) <= found.p <= 1.0


def naive_holm(p: list[float]) -> list[float]:
    """Holm from his definition: the largest of the scaled p values that are not larger."""
    m = len(p)
    ranks = sorted(range(m), key=lambda i: p[i])
    return [max(min(1.0, (m - place) * p[j]) for place, j in enumerate(ranks[: ranks.index(i) + 1])) for i in range(m)]


@given(P_VALUES)
@settings(max_examples=60)
def test_holm_equals_its_definition(p: list[float]) -> None:
    assert holm(p) == pytest.approx(naive_holm(p))


@given(P_VALUES)
@settings(max_examples=60)
def test_holm_keeps_order_and_never_lowers_a_p(p: list[float]) -> None:
    adjusted = holm(p)
    for before, after in zip(p, adjusted, strict=True):
        assert after is not None
        assert before <= after <= 1.0
    for i, j in itertools.combinations(range(len(p)), 2):
        if p[i] < p[j]:
            assert adjusted[i] <= adjusted[j]


def test_holm_leaves_missing_tests_out_of_the_family() -> None:
    assert holm([0.01, None, 0.04]) == [0.02, None, 0.04]
    assert holm([None]) == [None]
    assert holm([]) == []


def test_matrix_equals_one_paired_test_for_each_pair() -> None:
    values = RNG.normal(size=(4, 7))
    values[1, 2] = values[3, 0] = np.nan
    found = pairwise(values)
    raw = []
    for i, j in itertools.combinations(range(4), 2):
        both = np.isfinite(values[i]) & np.isfinite(values[j])
        expected = stats.ttest_rel(values[i, both], values[j, both])
        low, high = expected.confidence_interval(0.95)
        assert found.n[i, j] == both.sum()
        assert found.mean[i, j] - found.half_width[i, j] == pytest.approx(low)
        assert found.mean[i, j] + found.half_width[i, j] == pytest.approx(high)
        assert found.p_t[i, j] == pytest.approx(expected.pvalue)
        assert found.mean[j, i] == pytest.approx(-found.mean[i, j])
        raw.append(float(expected.pvalue))
    upper = np.triu_indices(4, 1)
    np.testing.assert_allclose(found.p_holm[upper], naive_holm(raw))
    np.testing.assert_array_equal(found.p_holm, found.p_holm.T)
    assert np.isnan(found.p_t[0, 0])
