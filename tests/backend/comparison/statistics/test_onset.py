"""Overfitting onset, as defined: the minimum, one standard error, every later evaluation, two at least, probe
falling.
"""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.comparison.statistics.onset import RunOnsetResult, median_onset, run_onset

STEPS = np.array([10, 20, 30, 40, 50])
FALLING = np.array([0.6, 0.5, 0.4, 0.3, 0.2])
ERROR = np.full(5, 0.02)


def onset(validation: list[float], probe: np.ndarray = FALLING, error: np.ndarray = ERROR) -> int | None:
    return run_onset(STEPS, np.array(validation), error, probe).step


def test_turning_up_for_good() -> None:
    assert onset([0.7, 0.60, 0.63, 0.65, 0.7]) == 20


def test_a_return_below_the_error_is_no_onset() -> None:
    assert onset([0.7, 0.60, 0.63, 0.615, 0.7]) is None


def test_exactly_one_error_above_is_not_above() -> None:
    assert onset([0.7, 0.5, 0.75, 0.75, 0.75], error=np.full(5, 0.25)) is None
    assert onset([0.7, 0.5, 0.751, 0.751, 0.751], error=np.full(5, 0.25)) == 20


def test_two_later_evaluations_are_needed() -> None:
    assert onset([0.8, 0.7, 0.6, 0.7, 0.8]) == 30
    assert onset([0.9, 0.8, 0.7, 0.6, 0.8]) is None
    assert onset([0.9, 0.8, 0.7, 0.6, 0.5]) is None


def test_a_rising_probe_is_divergence_not_overfitting() -> None:
    assert onset([0.7, 0.6, 0.7, 0.8, 0.9], probe=np.array([0.6, 0.5, 0.4, 0.55, 0.6])) is None


def test_of_equal_minima_the_first_one_counts() -> None:
    """So a loss that comes back to its minimum has not turned up for good, however it goes on from there."""
    assert onset([0.7, 0.5, 0.5, 0.7, 0.8]) is None
    assert onset([0.5, 0.7, 0.5, 0.7, 0.8], error=np.zeros(5)) is None


def test_the_error_at_the_minimum_decides() -> None:
    error = np.array([0.02, 0.2, 0.02, 0.02, 0.02])
    assert onset([0.7, 0.60, 0.65, 0.65, 0.7], error=error) is None


def test_missing_evaluations_are_left_out() -> None:
    assert onset([0.7, 0.6, np.nan, 0.65, 0.7]) == 20
    assert onset([0.7, 0.6, np.nan, np.nan, 0.7]) is None
    assert onset([np.nan] * 5) is None


def test_without_an_error_there_is_no_telling() -> None:
    found = run_onset(STEPS, np.array([0.7, 0.6, 0.7, 0.8, 0.9]), np.full(5, np.nan), FALLING)
    assert found.step is None
    assert "standard error" in found.reason


def test_an_arm_has_the_median_of_the_runs_that_have_one() -> None:
    results = [RunOnsetResult(step, "") for step in (10, None, 30, 40)]
    assert median_onset(results) == 30
    assert median_onset([RunOnsetResult(None, "")]) is None


def naive(steps: list[int], validation: list[float], error: list[float], probe: list[float]) -> int | None:
    """Read the definition off line by line."""
    at = min(range(len(steps)), key=lambda i: (validation[i], i))
    later = range(at + 1, len(steps))
    rises = all(validation[i] > validation[at] + error[at] for i in later)
    falls = all(probe[i] < probe[at] for i in later)
    return steps[at] if len(later) >= 2 and rises and falls else None


@given(st.data())
@settings(max_examples=80)
def test_equals_the_definition(data: st.DataObject) -> None:
    n = data.draw(st.integers(3, 9))
    grid = st.integers(0, 8).map(lambda i: i / 8)
    validation, probe, error = (data.draw(st.lists(grid, min_size=n, max_size=n)) for _ in range(3))
    steps = list(range(10, 10 * n + 1, 10))
    found = run_onset(np.array(steps), np.array(validation), np.array(error), np.array(probe))
    assert found.step == naive(steps, validation, error, probe)


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_evaluations(n: int) -> None:
    short = np.ones(n)
    assert run_onset(np.arange(n), short, short, short).step is None
