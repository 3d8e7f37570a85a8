"""A loss that ends far above where it began is a diverged run; overfitting, however bad, and a slow run are none."""

from dataclasses import replace

import numpy as np
import pytest

from backend.comparison.build import build
from backend.comparison.plan.values import values
from backend.comparison.statistics.divergence import FAR, FOLD, ends_far_above
from backend.comparison.statistics.grid import align
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import Plan, study, with_halves

PLAN = {"baseline": "none", "metric": "validation/loss", "clock": "last", "smallest": 0.02, "seeds": 5, "looks": [5]}


def exploded(seeds: int, by: float = 1.5, rows: tuple[str, ...] = ("validation/loss", "probe/loss")) -> StudyRecords:
    """Plain LoRA and a DropKey that is better by far, but whose first `seeds` seeds end `by` above their start."""
    records = with_halves(study([Plan("none", rise=0.4), Plan("dropkey", rise=0.0)]))
    table = records.evaluations
    metrics = dict(table.metrics)
    for name in rows:
        values = metrics[name].copy()
        for seed in range(seeds):
            mine = np.flatnonzero(table.run == 2 * seed + 1)
            values[mine[-1]] = values[mine[0]] + by
        metrics[name] = values
    return replace(records, evaluations=replace(table, metrics=metrics), plan=PLAN)


def test_the_margin_is_a_nat_above_the_first_number_or_ten_times_a_squared_error() -> None:
    losses = np.array([[0.7, 0.5, 0.7 + FAR], [0.7, 0.5, 0.701 + FAR], [np.nan, 5.0, 5.9], [np.nan] * 3])
    last = np.full(4, 2)
    assert ends_far_above(losses, last).tolist() == [False, True, False, False]
    assert ends_far_above(np.array([[0.1, 0.1 * FOLD + 0.01]]), np.array([1]), squared=True).tolist() == [True]
    assert ends_far_above(np.array([[3.0, 4.5]]), np.array([1]), squared=True).tolist() == [False]
    assert ends_far_above(np.empty((2, 0)), np.zeros(2, np.int64)).tolist() == [False, False]


def test_two_of_five_diverge_is_told_and_the_arm_is_not_better_at_either_clock() -> None:
    """Three of five pairs are better by far: dropped, the other two would leave a clear "better" behind."""
    records = exploded(2)
    assert build(exploded(0)).arms[1].verdict.kind == "better_by_more"  # type: ignore[union-attr]
    arm = build(records).arms[1]
    assert arm.verdict is not None
    assert arm.counts.diverged == 2
    assert arm.verdict.kind == "cannot_tell"
    assert "2 of 5 seeds diverged" in arm.verdict.words
    assert arm.differences["validation/loss"].decided == "undecided"
    assert arm.stopped is not None
    assert arm.stopped.differences["validation/loss"].decided == "undecided"
    for clock in ("last", "stopped"):
        found = values(align(records)[1], "validation/loss", clock, 5)  # type: ignore[arg-type]
        assert np.isinf(found).tolist() == [True, True, False, False, False]
    assert "end far above where they began" in (arm.runs[0].reason or "")


@pytest.mark.parametrize(
    ("by", "rows"),
    [(3.0, ("validation/loss",)), (3.0, ("probe/loss",)), (0.9, ("validation/loss", "probe/loss"))],
    ids=["overfits", "only on training rows", "within the margin"],
)
def test_what_is_no_divergence(by: float, rows: tuple[str, ...]) -> None:
    arm = build(exploded(2, by, rows)).arms[1]
    assert arm.counts.diverged == 0
    assert arm.differences["validation/loss"].n == 5


def test_a_diverged_seed_of_the_baseline_forbids_worse() -> None:
    records = exploded(1)
    turned = replace(records, plan={**PLAN, "baseline": "dropkey"}, baseline_arm_id="arm-1")
    verdict = build(turned).arms[0].verdict
    assert verdict is not None
    assert verdict.kind == "cannot_tell"
