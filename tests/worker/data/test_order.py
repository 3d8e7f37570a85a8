"""Seeded orders: every row once an epoch, the same for all arms, balanced and nested draws."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backend.shared.schedule import total_steps
from worker.data.order import balanced, batches, halves, shuffled


@given(rows=st.integers(1, 60), size=st.integers(1, 20), epochs=st.integers(1, 4), seed=st.integers(0, 2**31))
def test_every_epoch_takes_every_row_once(rows: int, size: int, epochs: int, seed: int) -> None:
    steps = batches(rows, seed, size, epochs)
    assert len(steps) == total_steps(rows, size, epochs) == epochs * -(-rows // size)
    each = len(steps) // epochs
    for epoch in range(epochs):
        taken = np.concatenate(steps[epoch * each : (epoch + 1) * each])
        assert sorted(taken.tolist()) == list(range(rows))
    assert all(len(step) == size for step in steps if step is not steps[-1] and rows % size == 0)


def test_epochs_and_seeds_differ_and_repeat_exactly() -> None:
    once, again, other = batches(40, 3, 8, 2), batches(40, 3, 8, 2), batches(40, 4, 8, 2)
    assert all(np.array_equal(a, b) for a, b in zip(once, again, strict=True))
    assert not np.array_equal(np.concatenate(once[:5]), np.concatenate(once[5:]))
    assert not np.array_equal(np.concatenate(once), np.concatenate(other))


def test_the_stream_is_pinned() -> None:
    # A change here would silently change every study's data: it must be a decision, not an accident.
    assert shuffled(8, 1, 0).tolist() == [2, 4, 7, 5, 0, 6, 3, 1]


@pytest.mark.parametrize(("epochs", "steps"), [(0.1, 1), (0.5, 2), (1, 3), (1.5, 5), (2, 6), (2.01, 7)])
def test_fractions_of_an_epoch(epochs: float, steps: int) -> None:
    assert len(batches(10, 0, 4, epochs)) == steps


@given(counts=st.lists(st.integers(1, 40), min_size=1, max_size=4), seed=st.integers(0, 1000))
def test_every_prefix_is_balanced(counts: list[int], seed: int) -> None:
    classes = np.repeat(np.arange(len(counts)), counts)
    order = balanced(classes, 1, seed)
    assert sorted(order.tolist()) == list(range(len(classes)))
    share = np.array(counts) / len(classes)
    for length in range(1, len(classes) + 1):
        found = np.bincount(classes[order[:length]], minlength=len(counts))
        assert np.abs(found - share * length).max() <= len(counts) / 2 + 1e-9


def test_halves_are_fixed_and_share_no_row() -> None:
    """Whoever reads a study that was made before must find the same halves: these numbers never change."""
    first, second = halves(9)
    assert (first.tolist(), second.tolist()) == ([3, 7, 5, 1, 4], [6, 8, 0, 2])
    for count in (0, 1, 2, 7, 512):
        one, other = halves(count)
        assert len(one) - len(other) in (0, 1)
        assert sorted([*one, *other]) == list(range(count))
