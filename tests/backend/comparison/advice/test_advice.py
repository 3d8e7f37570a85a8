"""Whoever follows the advice is not worse off: hardly ever is an arm advised that is worse by more than matters."""

import numpy as np
import pytest

from tests.backend.comparison.advice.simulated import WAYS, Way, advised, all_worse, one_worse, read, records, share
from tests.backend.comparison.plan.simulated import KINDS, Kind

STUDIES = 25
LIMIT = 0.02 + 3 * (0.02 * 0.98 / STUDIES) ** 0.5  # 2 % and three standard errors


@pytest.mark.slow
@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)
@pytest.mark.parametrize("kind", [KINDS[0], KINDS[3]], ids=lambda kind: kind.name)
def test_no_arm_is_advised_that_is_worse_by_more_than_matters(kind: Kind, way: Way) -> None:
    shift = all_worse if kind.diverging else one_worse
    assert share(kind, way, STUDIES, shift) <= LIMIT


def test_an_arm_that_is_far_better_is_advised() -> None:
    """The simulation can see advice at all, and names whom it is for."""
    shift = np.array([0.0, 0.0, -6.0, 0.0, 0.0, 0.0, 0.0])
    whole = records(KINDS[0], np.random.default_rng(1), 5, shift)
    (found,) = read(whole, WAYS[0])
    assert advised(found) == "arm-3"
