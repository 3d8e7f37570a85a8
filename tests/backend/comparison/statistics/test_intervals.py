"""Means and t intervals against SciPy."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from backend.comparison.statistics.intervals import column_statistics, t_interval

NUMBERS = st.lists(st.floats(-1e6, 1e6), min_size=3, max_size=30)


@given(NUMBERS)
@settings(max_examples=60)
def test_interval_equals_scipy(values: list[float]) -> None:
    found = t_interval(np.array(values))
    assert found.n == len(values)
    assert found.mean == pytest.approx(np.mean(values))
    scale = stats.sem(values)
    assert found.half_width is not None
    if scale > 0:
        low, high = stats.t.interval(0.95, len(values) - 1, loc=np.mean(values), scale=scale)
        assert found.lo == pytest.approx(low, rel=1e-9, abs=1e-9 * scale)
        assert found.hi == pytest.approx(high, rel=1e-9, abs=1e-9 * scale)
    else:
        assert found.half_width == pytest.approx(0.0, abs=1e-9)


def test_three_seeds_take_the_wide_factor() -> None:
    """4.30 · s / √3, not 1.96: the factor that short tables get wrong."""
    values = np.array([1.0, 2.0, 3.0])
    assert t_interval(values).half_width == pytest.approx(4.302652729911275 / np.sqrt(3))


def test_one_number_has_no_interval_and_none_has_no_mean() -> None:
    one, nothing = t_interval(np.array([0.5])), t_interval(np.array([np.nan, np.inf]))
    assert (one.n, one.mean, one.lo, one.hi, one.sd) == (1, 0.5, None, None, None)
    assert (nothing.n, nothing.mean, nothing.lo) == (0, None, None)


def test_two_numbers_have_a_spread_and_no_interval() -> None:
    found = t_interval(np.array([1.0, 3.0]))
    assert (found.n, found.mean, found.sd, found.half_width) == (2, 2.0, pytest.approx(2**0.5), None)


def test_numbers_that_are_not_finite_are_left_out() -> None:
    assert t_interval(np.array([1.0, np.nan, 3.0])) == t_interval(np.array([1.0, 3.0]))


def test_losses_near_the_largest_float_give_no_infinity() -> None:
    found = t_interval(np.array([1.7e308, 1.6e308, -1e308]))
    assert found.half_width is None
    assert found.mean is None or np.isfinite(found.mean)


def test_columns_equal_one_interval_each() -> None:
    rng = np.random.default_rng(3)
    values = rng.normal(size=(6, 9))
    values[rng.random(values.shape) < 0.3] = np.nan
    values[:, 0] = np.nan
    values[1:, 1] = np.nan
    values[0, 1] = 2.0
    found = column_statistics(values)
    for column in range(values.shape[1]):
        alone = t_interval(values[:, column])
        assert found.n[column] == alone.n
        for array, number in ((found.mean, alone.mean), (found.sd, alone.sd), (found.half_width, alone.half_width)):
            if number is None:
                assert np.isnan(array[column])
            else:
                assert array[column] == pytest.approx(number)
    known = np.isfinite(values).any(axis=0)
    np.testing.assert_array_equal(found.min[known], np.nanmin(values[:, known], axis=0))
    np.testing.assert_array_equal(found.max[known], np.nanmax(values[:, known], axis=0))
    assert np.isnan(found.min[0])
    assert np.isnan(found.max[0])
