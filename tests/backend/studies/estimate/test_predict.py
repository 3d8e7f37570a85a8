"""How long a study takes: ranges that hold, and words that say what they rest on."""

import numpy as np
import pytest

from backend.studies.estimate.packs import Pack, device_class
from backend.studies.estimate.predict import Asked, fit, predict

SMALL, LARGE = "small", "large"
PARAMETERS = {SMALL: 22_000_000, LARGE: 135_000_000}
CPU = frozenset({"cpu"})


def packs(
    count: int, *, model: str = SMALL, start: float = 4.0, pace: float = 1e-3, noise: float = 0.0, per_row: float = 30.0
) -> list[Pack]:
    """Packs of unlike sizes whose seconds spread by a factor of about 1 + noise."""
    draw = np.random.default_rng(count)
    works = draw.uniform(5e3, 1e5, count)
    seconds = (start + pace * works) * np.exp(draw.normal(0, noise, count))
    return [Pack(model, "cpu", float(s), float(w), per_row) for s, w in zip(seconds, works, strict=True)]


def test_start_and_pace_are_found() -> None:
    assert fit(packs(12)) == pytest.approx((4.0, 1e-3))
    assert fit(packs(12, start=0.0)) == pytest.approx((0.0, 1e-3), abs=1e-9)
    alone = packs(1)
    assert fit(alone) == pytest.approx((0.0, alone[0].seconds / alone[0].work))
    same = [Pack(SMALL, "cpu", 10.0, 1e4, 30.0)] * 5
    assert fit(same) == pytest.approx((0.0, 1e-3))


def test_nine_in_ten_studies_lie_within_their_range() -> None:
    """Studies of one to twelve packs on one to three workers, each pack off by a tenth as packs are."""
    draw = np.random.default_rng(7)
    within = 0
    tries = 400
    for trial in range(tries):
        known = packs(int(draw.integers(4, 20)) + trial % 3, noise=0.1)
        count, workers = int(draw.integers(1, 13)), int(draw.integers(1, 4))
        works = np.full(count, draw.uniform(5e3, 1e5))
        told = predict(Asked(SMALL, float(works.sum()), 30.0, count), known, PARAMETERS, workers, CPU)
        assert told is not None
        assert told.low <= told.middle <= told.high
        free = np.zeros(workers)  # packs are taken in turn by whoever is free
        for work in works:
            free[np.argmin(free)] += (4.0 + 1e-3 * work) * np.exp(draw.normal(0, 0.1))
        within += told.low <= free.max() <= told.high
    assert within / tries >= 0.9


def test_another_model_or_length_is_said_and_wide() -> None:
    known = packs(8)
    own = predict(Asked(SMALL, 1e5, 30.0, 2), known, PARAMETERS, 1, CPU)
    longer = predict(Asked(SMALL, 1e5, 200.0, 2), known, PARAMETERS, 1, CPU)
    other = predict(Asked(LARGE, 1e5, 30.0, 2), known, PARAMETERS, 1, CPU)
    assert own is not None
    assert longer is not None
    assert other is not None
    assert own.basis.startswith("measured on the last 8 packs of runs; start, evaluations and endings included")
    assert "on rows of another length" in longer.basis
    assert "another model (small): scaled by the number of parameters, and rough" in other.basis
    assert own.high / own.low < longer.high / longer.low < other.high / other.low
    assert other.middle > 3 * own.middle
    both = predict(Asked(LARGE, 1e5, 30.0, 2), [*known, *packs(3, model=LARGE, pace=9e-3)], PARAMETERS, 1, CPU)
    assert both is not None
    assert "another model" not in both.basis


def test_nothing_is_told_from_nothing() -> None:
    asked = Asked(LARGE, 1e5, 30.0, 2)
    assert predict(asked, [], PARAMETERS, 2, frozenset()) is None
    assert predict(asked, packs(4), {}, 2, CPU) is None, "sizes that are not known scale nothing"
    assert predict(Asked(SMALL, 1e5, 30.0, 2), packs(4), PARAMETERS, 2, frozenset({"cuda"})) is None


def test_devices_of_a_kind_are_one_class() -> None:
    assert [device_class(name) for name in ("cpu", "cuda:0", "cuda:1", "none: a puppet")] == [
        "cpu",
        "cuda",
        "cuda",
        "none",
    ]
