"""Runs are paired by their seed at the last step both arms have, whatever their order and whoever is missing."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from backend.comparison.statistics.grid import ArmGrid, align
from backend.comparison.statistics.paired import compare, pair
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import Plan, study, with_run, without_rows

RECORDS = study([Plan("none"), Plan("dropkey", rise=0.2)], seeds=5)


def both(records: StudyRecords) -> tuple[ArmGrid, ArmGrid]:
    first, second = align(records)
    return second, first


def last_loss(seed: int, arm: int, step: int = 128) -> float:
    table = RECORDS.evaluations
    index = next(i for i, run in enumerate(RECORDS.runs) if (run.seed, run.arm_id) == (seed, f"arm-{arm}"))
    return float(table.metrics["validation/loss"][(table.run == index) & (table.step == step)][0])


def index_of(seed: int, arm: int) -> int:
    return seed * 2 + arm


def test_a_missing_seed_of_one_arm_moves_no_other_pair() -> None:
    """Seed 1 of the baseline failed, seed 3 of the other arm is not there at all: 0, 2 and 4 are compared."""
    records = with_run(RECORDS, index_of(1, 0), status="failed", failure_code="loss_nan")
    gone = index_of(3, 1)
    kept = [i for i in range(len(records.runs)) if i != gone]
    records = without_rows(records, records.evaluations.run == gone)
    table = replace(records.evaluations, run=np.searchsorted(kept, records.evaluations.run))
    records = replace(records, runs=tuple(records.runs[i] for i in kept), evaluations=table)
    found = pair(*both(records), "validation/loss")
    assert found.seeds == (0, 2, 4)
    assert found.left.tolist() == [last_loss(seed, 1) for seed in (0, 2, 4)]
    assert found.right.tolist() == [last_loss(seed, 0) for seed in (0, 2, 4)]


def test_the_order_in_which_runs_are_stored_is_of_no_matter() -> None:
    order = np.random.default_rng(2).permutation(len(RECORDS.runs))
    back = np.argsort(order)
    shuffled = replace(
        RECORDS,
        runs=tuple(RECORDS.runs[i] for i in order),
        evaluations=replace(RECORDS.evaluations, run=back[RECORDS.evaluations.run]),
    )
    found, expected = (compare(pair(*both(one), "validation/loss")) for one in (shuffled, RECORDS))
    assert found == expected
    theirs = stats.ttest_rel([last_loss(s, 1) for s in range(5)], [last_loss(s, 0) for s in range(5)])
    assert found.p_t == pytest.approx(theirs.pvalue)


def test_arms_are_read_at_the_last_step_that_both_have() -> None:
    """The other arm's runs end at 96: both are read there, not at the first step and not each at its own last."""
    table = RECORDS.evaluations
    short = without_rows(RECORDS, (table.run % 2 == 1) & (table.step > 96))
    found = pair(*both(short), "validation/loss")
    assert found.step == 96
    assert found.right.tolist() == [last_loss(seed, 0, 96) for seed in range(5)]


def test_final_values_are_read_where_a_finished_run_ended() -> None:
    """A run that was cancelled further on does not move the step at which the others are read."""
    table = RECORDS.evaluations
    records = without_rows(RECORDS, (table.run % 2 == 0) & (table.run > 0) & (table.step > 96))
    records = with_run(records, index_of(0, 0), status="cancelled")
    plain = align(records)[0]
    assert plain.final_step == 96
    assert plain.finished == (1, 2, 3, 4)
