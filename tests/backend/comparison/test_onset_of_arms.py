"""An arm's onset speaks of its finished runs, by validation loss, its error and the probe loss, each at its place."""

import numpy as np
import pytest

from backend.comparison.arms import onset
from backend.comparison.schema import Onset
from backend.comparison.statistics.grid import align
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import Plan, study, with_run, with_values

RECORDS = study([Plan("none", rise=0.4)], seeds=3, noise=0.003)


def of(records: StudyRecords) -> Onset:
    grid = align(records)[0]
    return onset(grid, grid.step.astype(float) / 16)


def steps(records: StudyRecords) -> list[int | None]:
    return [run.step for run in of(records).runs]


def everywhere(records: StudyRecords) -> np.ndarray:
    return np.ones(len(records.evaluations.run), dtype=bool)


def test_a_plain_study_turns_up_where_its_validation_loss_is_lowest() -> None:
    found = of(RECORDS)
    assert (found.k, found.n) == (3, 3)
    assert found.step == 48
    assert found.x == pytest.approx(3.0)
    assert found.sentence == "Overfits from step 48 on, in 3 of 3 seeds."


def test_a_rise_within_the_standard_error_is_none() -> None:
    assert steps(with_values(RECORDS, "validation/loss_se", everywhere(RECORDS), 0.5)) == [None] * 3


def test_a_probe_loss_that_rises_along_is_none() -> None:
    """What rises on the rows that were trained is no overfitting."""
    table = RECORDS.evaluations
    records = with_values(RECORDS, "probe/loss", table.step > 96, 2.0)
    assert steps(records) == [None] * 3


def test_the_training_loss_has_no_say() -> None:
    table = RECORDS.evaluations
    assert steps(with_values(RECORDS, "train/loss", table.step > 48, 9.0)) == steps(RECORDS)


def test_only_finished_runs_are_asked_and_each_by_its_own_numbers() -> None:
    """The first seed is still running, the second one has turned up late: the arm's answer is the last two's."""
    table = RECORDS.evaluations
    late = with_values(RECORDS, "validation/loss", (table.run == 1) & (table.step == 80), 0.1)
    found = of(with_run(late, 0, status="running"))
    assert [(run.seed, run.step) for run in found.runs] == [(1, 80), (2, 48)]
    assert found.step == 64
    assert found.sentence == "Overfits from step 64 on, in 2 of 2 seeds."
