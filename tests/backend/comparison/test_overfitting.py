"""Does an arm overfit: by the halves of its validation rows, and, in studies without them, look by look."""

import numpy as np
import pytest

from backend.comparison import build as comparison
from backend.comparison.overfitting import between, overfitting
from backend.comparison.schema import Overfitting
from backend.comparison.statistics.grid import align
from backend.comparison.statistics.records import StudyRecords
from backend.comparison.statistics.rise import rise
from tests.backend.make_records import Plan, study, with_halves, with_run, with_values

RECORDS = study([Plan("none", rise=0.4)], seeds=3, noise=0.003)


def of(records: StudyRecords) -> Overfitting:
    grid = align(records)[0]
    return overfitting(grid, grid.step.astype(float) / 16)


def steps(records: StudyRecords) -> list[int | None]:
    return [run.step for run in of(records).runs]


def everywhere(records: StudyRecords) -> np.ndarray:
    return np.ones(len(records.evaluations.run), dtype=bool)


def test_a_plain_study_turns_up_where_its_validation_loss_is_lowest() -> None:
    found = of(RECORDS)
    assert (found.rule, found.state, found.k, found.n, found.amount) == ("every_look", "rises", 3, 3, None)
    assert (found.step, found.after, found.before) == (48, 32, 64)
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


HALVED = with_halves(RECORDS, noise=0.005)


def test_with_halves_the_amount_is_told_and_where_the_loss_is_lowest() -> None:
    found = of(HALVED)
    table = HALVED.evaluations
    a, b = (np.array([table.metrics[f"validation_{half}/loss"][table.run == run] for run in range(3)]) for half in "ab")
    expected = rise(a, b)
    assert expected is not None
    assert found.amount is not None
    assert (found.rule, found.state, found.k, found.n, found.runs) == ("halves", "rises", 3, 3, [])
    assert [seed.value for seed in found.amount.seeds] == pytest.approx(expected.amounts.tolist())
    assert (found.amount.mean, found.amount.half_width) == (expected.interval.mean, expected.interval.half_width)
    assert (found.after, found.step, found.before) == (32, 48, 64)
    assert found.x == pytest.approx(3.0)
    assert found.sentence.startswith("Validation loss is lowest between steps 32 and 64 and ends 0.2")


def test_a_curve_that_does_not_rise_is_said_not_to() -> None:
    found = of(with_halves(study([Plan("none", rise=0.0)], seeds=3, noise=0.003), noise=0.005))
    assert (found.state, found.step) == ("not_shown", None)
    assert found.sentence.endswith("no lasting rise is shown.")


def test_what_rises_on_training_rows_as_well_is_no_overfitting() -> None:
    table = HALVED.evaluations
    found = of(with_values(HALVED, "probe/loss", table.step > 64, 2.0))
    assert (found.state, found.step) == ("unstable", None)
    assert "training becomes unstable" in found.sentence


def test_two_seeds_do_not_tell() -> None:
    found = of(with_run(HALVED, 0, status="running"))
    assert (found.state, found.n) == ("untold", 2)
    assert found.amount is not None
    assert found.amount.half_width is None
    assert "three are needed to tell" in found.sentence


def test_before_the_first_finished_run_nothing_is_told() -> None:
    records = HALVED
    for index in range(3):
        records = with_run(records, index, status="running")
    found = of(records)
    assert (found.state, found.n, found.amount, found.sentence) == ("untold", 0, None, "No run has finished yet.")


@pytest.mark.parametrize(
    ("after", "before", "words"),
    [
        (None, 16, "before step 16"),
        (1600, None, "after step 1,600"),
        (16, 48, "between steps 16 and 48"),
        (None, None, "at every evaluation"),
    ],
)
def test_a_place_lies_between_evaluations(after: int | None, before: int | None, words: str) -> None:
    assert between(after, before) == words


def test_the_answer_does_not_turn_with_the_number_of_looks() -> None:
    """B6: five looks said "Yes", twenty-four of the very same trainings "No lasting rise"."""
    for looks in (5, 8, 24):
        records = with_halves(study([Plan("none", rise=0.3)], evaluations=looks, interval=480 // looks, noise=0.04))
        answer = comparison.build(records).answers[1]
        assert answer.headline.startswith("Yes, between steps"), (looks, answer)
        assert "ends 0.1" in answer.text, (looks, answer.text)


def test_an_older_study_is_said_to_be_judged_look_by_look() -> None:
    answer = comparison.build(RECORDS).answers[1]
    assert "Judged look by look, for want of halves of the validation rows" in answer.text
