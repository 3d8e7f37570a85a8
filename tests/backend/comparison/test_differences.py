"""A difference is decided by the corrected p, told the right way round, and its seeds are counted at that level."""

from dataclasses import replace

import numpy as np
import pytest

from backend.comparison.differences import differences, not_told_apart
from backend.comparison.statistics.grid import ArmGrid, align
from backend.comparison.statistics.power import paired_t_power
from tests.backend.make_records import Plan, study

ARMS, SEEDS = 8, 8
METRIC = "validation/loss"


def grids(shifts: list[float], spread: float = 1.0) -> tuple[ArmGrid, ...]:
    """A baseline and arms that lie `shifts` away from it; differences over the seeds spread by `spread`."""
    records = study([Plan("none"), *(Plan("dropkey", f"arm {i}") for i in range(len(shifts)))], seeds=SEEDS,
                    evaluations=1)  # fmt: skip
    table = records.evaluations
    draw = np.random.default_rng(5).standard_normal((len(shifts), SEEDS))
    draw = (draw - draw.mean(1, keepdims=True)) / draw.std(1, ddof=1, keepdims=True) * spread
    seed, arm = table.run // (len(shifts) + 1), table.run % (len(shifts) + 1)
    values = np.where(arm == 0, 0.0, np.array([0.0, *shifts])[arm] + draw[arm - 1, seed])
    metrics = {**table.metrics, METRIC: values + seed}
    return align(replace(records, evaluations=replace(table, metrics=metrics)))


def test_one_clear_difference_is_told_the_right_way_round() -> None:
    made = grids([-3.0, 3.0, 0.0])
    found = differences(made, made[0], "none", [METRIC])
    assert [row[METRIC].decided for row in found[1:]] == ["lower", "higher", "undecided"]


def test_many_arms_are_decided_by_the_corrected_p() -> None:
    """Each of seven arms is .9 spreads away: p = .04 alone, .28 corrected, so nothing is decided or told apart."""
    made = grids([-0.9] * (ARMS - 1))
    found = [row[METRIC] for row in differences(made, made[0], "none", [METRIC])[1:]]
    for one in found:
        assert one.p_t == pytest.approx(0.0387, abs=5e-4)
        assert one.p_holm == pytest.approx(7 * one.p_t)
        assert one.decided == "undecided"
    assert not_told_apart(made, made[0], METRIC) == list(range(1, ARMS))
    alone = grids([-0.9])
    assert differences(alone, alone[0], "none", [METRIC])[1][METRIC].decided == "lower"
    assert not_told_apart(alone, alone[0], METRIC) == []


def test_the_seeds_that_it_needs_are_counted_at_the_corrected_level() -> None:
    made = grids([-0.9] * (ARMS - 1))
    one = differences(made, made[0], "none", [METRIC])[1][METRIC]
    assert one.seeds_needed is not None
    assert one.seeds_needed_holm is not None
    assert paired_t_power(one.seeds_needed, 0.9) >= 0.8 > paired_t_power(one.seeds_needed - 1, 0.9)
    level = 0.05 / (ARMS - 1)
    assert (
        paired_t_power(one.seeds_needed_holm, 0.9, level) >= 0.8 > paired_t_power(one.seeds_needed_holm - 1, 0.9, level)
    )
    assert one.seeds_needed_holm > one.seeds_needed
