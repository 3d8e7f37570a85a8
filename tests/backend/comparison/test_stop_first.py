"""What to use, weighed at both clocks: the baseline stopped in time is every method's free rival."""

from dataclasses import replace

import numpy as np

from backend.comparison import build as comparison
from backend.comparison.schema import Answer
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import DEMO, Plan, study, with_halves, with_run, with_values

PAIR = study([Plan("none", rise=0.4), Plan("dropkey", rise=0.3)])
FLAT = study([Plan("none", rise=0.0), Plan("dropkey", rise=0.0)])


def use(records: StudyRecords) -> Answer:
    return comparison.build(records).answers[0]


def lowered(records: StudyRecords, by: float) -> StudyRecords:
    """DropKey's validation loss lies lower everywhere."""
    table = records.evaluations
    loss = np.where(table.run % 2 == 1, table.metrics["validation/loss"] - by, table.metrics["validation/loss"])
    return replace(records, evaluations=replace(table, metrics={**table.metrics, "validation/loss": loss}))


def test_stopping_is_told_by_a_value_that_does_not_flatter() -> None:
    """B1: the baseline stopped in time against every method, at its last step and stopped as well."""
    records = with_halves(study(DEMO), noise=0.02)
    built = comparison.build(records)
    answer, stopped = built.answers[0], built.arms[0].stopped
    assert stopped is not None
    assert answer.headline == (
        "Stop near step 48; then no method is shown to beat no dropout. If you must train to step 128: HiddenKey. "
        "No difference in accuracy is shown."
    )
    assert (answer.state, answer.arm_id) == ("holds", "arm-0")
    assert (built.verdict.clock, built.verdict.step, built.verdict.to_the_end) == ("stopped", 48, ["arm-7"])
    honest = stopped.final["validation/loss"].mean
    assert honest is not None
    assert f"stopped at its best evaluation, step 48, has a validation loss of {honest:.3f}" in answer.text
    assert "flatters" not in answer.text
    assert "At the last step accuracy is lower by" in answer.text
    assert "Stopped as well, no method is shown to be lower; the closest," in answer.text
    assert "No method's last step is shown to be lower than no dropout stopped in time." in answer.text
    assert "Trained to the end, HiddenKey is 0." in answer.text


def test_a_method_that_is_lower_when_each_is_stopped_is_used_so() -> None:
    answer = use(with_halves(lowered(PAIR, 0.1), noise=0.01))
    assert answer.headline.startswith("Use DropKey, stopped near step 48. ")
    assert (answer.state, answer.arm_id) == ("holds", "arm-1")
    assert "Each stopped at its best evaluation, DropKey has" in answer.text
    assert "at its last step" in answer.text


def test_methods_that_tie_when_stopped_are_named() -> None:
    records = study([Plan("none", rise=0.4), Plan("dropkey", rise=0.3), Plan("hiddencut", rise=0.3)])
    table = records.evaluations
    low = np.where(table.run % 3 > 0, -0.1, 0.0) + table.metrics["validation/loss"]
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, "validation/loss": low}))
    answer = use(with_halves(records, noise=0.01))
    assert answer.headline.startswith("Use HiddenCut or DropKey, stopped near step 48.")
    assert "Not told apart from it:" in answer.text


def test_a_lower_loss_with_worse_answers_wins_at_no_clock() -> None:
    records = lowered(PAIR, 0.1)
    table = records.evaluations
    worse = with_values(records, "validation/accuracy", table.run % 2 == 1, 0.6)
    answer = use(with_halves(worse, noise=0.01))
    assert answer.headline.startswith("Stop near step ")
    assert answer.arm_id == "arm-0"


def test_an_arm_that_diverged_wins_at_no_clock() -> None:
    records = with_run(with_halves(lowered(PAIR, 0.1), noise=0.01), 1, status="failed", failure_code="loss_nan")
    assert use(records).headline.startswith("Stop near step 48; then no method is shown to beat no dropout.")


def test_where_stopping_does_not_help_it_is_said_so() -> None:
    answer = use(with_halves(FLAT, noise=0.01))
    assert answer.headline.startswith("Keep no dropout: no method has a lower loss.")
    assert "stopping earlier is not shown to help." in answer.text


def test_a_method_must_beat_the_free_rival_too() -> None:
    records = lowered(FLAT, 0.1)
    answer = use(with_halves(records, noise=0.005))
    assert answer.headline.startswith("Use DropKey.")
    assert answer.state == "holds"
    assert "DropKey at its last step beats that, too (p " in answer.text
    dip = np.array([0.4, 0.0, 0.3, 0.0, 0.05])  # of the baseline at one look, by seed: stopping helps some
    table = records.evaluations
    dipped = (table.run % 2 == 0) & (table.step == 48)
    loss = table.metrics["validation/loss"] - np.where(dipped, dip[table.run // 2], 0.0)
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, "validation/loss": loss}))
    answer = use(with_halves(records, noise=0.005))
    assert answer.headline.startswith("Use DropKey, or no dropout stopped near step ")
    assert answer.state == "undecided"
    assert "DropKey at its last step is not told apart from that." in answer.text


def test_where_there_are_test_rows_both_clocks_speak_of_them() -> None:
    records = with_halves(PAIR, noise=0.01)
    table = records.evaluations
    end = table.step == table.step.max()
    apart = 0.01 * np.sin(table.run)
    more = {"test/loss": np.where(end, 0.7 + apart, np.nan), "test_stopped/loss": np.where(end, 0.5 - apart, np.nan)}
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, **more}))
    answer = use(records)
    assert answer.headline.startswith("Stop near step ")
    told = [0.01 * np.sin(2 * seed) for seed in range(5)]
    assert f"has a test loss of {0.5 - np.mean(told):.3f}; {0.7 + np.mean(told):.3f} at its last step" in answer.text


def test_test_rows_that_know_no_kept_adapter_leave_the_word_to_the_halves() -> None:
    records = with_halves(PAIR, noise=0.01)
    table = records.evaluations
    end = table.step == table.step.max()
    test = np.where(end, table.metrics["validation/loss"], np.nan)
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, "test/loss": test}))
    answer = use(records)
    assert answer.headline.startswith("Stop near step ")
    assert "over the seeds), has a validation loss of" in answer.text


def test_the_lowest_loss_and_the_least_gap_are_told_at_the_clock_that_is_asked_for() -> None:
    records = with_halves(study(DEMO), noise=0.02)
    at_the_end, in_time = (comparison.build(records, clock=clock).answers for clock in ("last", "stopped"))
    assert at_the_end[3].headline == "HiddenKey"
    assert "each stopped in time" not in at_the_end[3].text
    for answer in in_time[2:]:
        assert "each stopped in time" in answer.text
    assert at_the_end[0] == in_time[0], "the first weighs both, whatever is asked for"
