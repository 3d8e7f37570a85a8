"""The numbers that the table shows equal an independent computation from the study's own CSV export."""

import math

import pytest

from tests.e2e.independent import agrees, histories
from tests.e2e.stack import Stack

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("stack")]  # one stack for both files


def test_table_equals_scipy_on_the_export(stack: Stack, finished_study: str) -> None:
    """Intervals, paired t, sign-flip, Holm, overfitting and correlation, from the raw rows of a real study."""
    with stack.http as http:
        comparison = http.get(f"/api/v1/studies/{finished_study}/comparison").json()
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
    assert len(comparison["arms"]) == 4
    assert all(len(seeds) == 3 for seeds in histories(exported).values())
    agrees(comparison, exported)


def test_losses_are_what_training_gives(stack: Stack, finished_study: str) -> None:
    """The study trained for real: probe loss fell from about ln 2 in every run, and every evaluation is finite."""
    with stack.http as http:
        exported = http.get(f"/api/v1/studies/{finished_study}/export.csv").text
    for arm, seeds in histories(exported).items():
        for seed, rows in seeds.items():
            assert rows[-1]["probe/loss"] < 0.9 * math.log(2), (arm, seed)
            assert all(math.isfinite(value) for value in rows[-1].values())
