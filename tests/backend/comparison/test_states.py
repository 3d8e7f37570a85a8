"""Studies that are not finished, broken or strange: every one has a comparison that says so."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.comparison import build as comparison
from backend.comparison.statistics.records import Evaluations, StudyRecords
from backend.reports.table import result_table
from backend.shared.errors import InvalidInput
from tests.backend.make_records import Plan, study, with_run, with_values, without_rows

SMALL = [Plan("none"), Plan("dropkey", rise=0.2), Plan("hiddenkey", rise=0.1)]


def texts(records: StudyRecords) -> dict[str, str]:
    return {answer.id: answer.text for answer in comparison.build(records).answers}


def test_a_study_without_arms() -> None:
    built = comparison.build(StudyRecords("s", "Empty", 0, "classification", (), (), Evaluations.empty()))
    assert built.baseline_arm_id is None
    assert len(built.answers) == 4
    assert not built.progress.complete


def test_nothing_finished_yet() -> None:
    records = study(SMALL, seeds=2)
    waiting = replace(
        records,
        runs=tuple(replace(run, status="queued", step=0) for run in records.runs),
        evaluations=Evaluations.empty(),
    )
    built = comparison.build(waiting)
    assert all(arm.curve is None and arm.place is None and arm.final["gap"].n == 0 for arm in built.arms)
    assert all(answer.state == "waiting" for answer in built.answers)
    assert built.pairwise is None
    assert built.progress.sentence == "0 of 6 runs ended; not every arm has a finished run yet."


def test_running_runs_are_in_the_curves_but_not_in_the_final_values() -> None:
    records = study(SMALL, seeds=2)
    records = with_run(without_rows(records, (records.evaluations.run == 3) & (records.evaluations.step > 64)), 3,
                       status="running", step=70)  # fmt: skip
    arm = comparison.build(records).arms[0]
    assert arm.curve is not None
    assert arm.curve.series["validation/loss"].n == [2, 2, 2, 2, 1, 1, 1, 1]
    assert arm.curve.series["validation/loss"].lo[-1] is None
    assert arm.final["validation/loss"].n == 1
    assert arm.runs[1].reason == "running, not finished yet"
    assert arm.counts.excluded == 0


def test_first_complete_comparison_is_announced() -> None:
    records = study(SMALL, seeds=2)
    for index in (3, 4, 5):
        records = with_run(records, index, status="running")
    built = comparison.build(records)
    assert built.progress.first_complete
    assert not built.progress.complete
    assert built.progress.seeds_complete == 1
    assert "first complete comparison" in built.progress.sentence
    assert "one seed" in built.arms[1].differences["gap"].meaning
    assert all(arm.differences["gap"].decided == "undecided" for arm in built.arms[1:])


def test_a_failed_run_is_left_out_counted_and_explained() -> None:
    records = with_run(study(SMALL), 1, status="failed", failure_code="loss_nan", message="The loss was not a number.")
    built = comparison.build(records)
    arm = built.arms[1]
    assert (arm.counts.failed, arm.counts.excluded, arm.final["gap"].n) == (1, 1, 4)
    assert arm.runs[0].reason == "failed: The loss was not a number."
    assert arm.curve is not None
    assert arm.curve.series["gap"].n == [4] * 8
    assert arm.curve.series["gap"].values[0][0] is not None, "its own line can still be drawn"
    assert arm.differences["gap"].n == 4
    assert any("The loss was not a number." in note for note in built.notes)


def test_an_arm_of_failed_runs_only() -> None:
    records = study(SMALL, seeds=2)
    for index in (1, 4):
        records = with_run(records, index, status="failed", failure_code="out_of_memory")
    built = comparison.build(records)
    assert built.arms[1].place is None
    assert built.ranking[-1] == "arm-1"
    assert built.arms[1].runs[0].reason == "failed: out of memory"
    assert built.arms[1].differences["gap"].meaning == "No seed has finished both here and in No dropout."


def test_a_failed_baseline_says_what_to_do() -> None:
    records = study(SMALL, seeds=1)
    records = with_run(records, 0, status="failed", failure_code="trainer_crashed")
    found = texts(records)
    assert "Choose another baseline" in found["overfits"]
    assert found["gap"].startswith("No seed finished both")


def test_a_nan_in_mid_run_is_a_break_and_at_the_end_a_reason() -> None:
    records = study(SMALL)
    table = records.evaluations
    broken = with_values(records, "validation/loss", (table.run == 2) & (table.step == 64), np.nan)
    arm = comparison.build(broken).arms[2]
    assert arm.curve is not None
    assert arm.curve.series["validation/loss"].values[0][3] is None
    assert arm.curve.series["validation/loss"].n[3] == 4
    assert arm.final["validation/loss"].n == 5
    ended = with_values(records, "validation/loss", (table.run == 2) & (table.step == 128), np.inf)
    arm = comparison.build(ended).arms[2]
    assert arm.final["validation/loss"].n == arm.final["probe/loss"].n == 4
    assert arm.runs[0].reason == "its validation loss at step 128 is not a number"
    assert arm.counts.excluded == 1


def test_one_seed_has_no_interval_and_no_verdict() -> None:
    built = comparison.build(study(SMALL, seeds=1))
    difference = built.arms[2].differences["validation/loss"]
    assert (difference.n, difference.lo, difference.p_t, difference.decided) == (1, None, None, "undecided")
    assert difference.interval_spans_zero, "no interval: nothing may look decided"
    assert built.arms[0].final["gap"].half_width is None
    use = built.answers[0]
    assert (use.id, use.headline, use.state) == ("use", "Too early to tell.", "waiting")
    assert "one seed" in use.text.lower()


def test_arms_with_different_steps_meet_at_the_last_common_one() -> None:
    records = study(SMALL)
    table = records.evaluations
    of_arm = np.isin(table.run, [i for i, run in enumerate(records.runs) if run.arm_id == "arm-1"])
    built = comparison.build(without_rows(records, of_arm & (table.step > 96)))
    assert built.arms[1].final_step == 96
    assert built.arms[1].differences["gap"].step == 96
    assert built.arms[2].differences["gap"].step == 128
    assert built.arms[1].curve is not None
    assert len(built.arms[1].curve.step) == 6
    assert any("step 96, the last evaluation both have" in note for note in built.notes)


def test_arms_without_a_common_step_are_not_compared() -> None:
    records = study(SMALL)
    table = records.evaluations
    of_arm = np.isin(table.run, [i for i, run in enumerate(records.runs) if run.arm_id == "arm-1"])
    moved = replace(records, evaluations=replace(table, step=np.where(of_arm, table.step + 1, table.step)))
    difference = comparison.build(moved).arms[1].differences["gap"]
    assert (difference.n, difference.step, difference.mean) == (0, None, None)


def test_a_causal_lm_study_has_no_accuracy() -> None:
    records = study(SMALL)
    metrics = {name: values for name, values in records.evaluations.metrics.items() if "accuracy" not in name}
    records = replace(records, task="causal_lm", evaluations=replace(records.evaluations, metrics=metrics))
    built = comparison.build(records)
    assert built.loss_unit == "nats per token"
    assert "validation/accuracy" not in built.arms[0].final
    assert set(built.arms[1].differences) == {"validation/loss", "gap"}
    with pytest.raises(InvalidInput, match="was not recorded"):
        comparison.build(records, metric="validation/accuracy")


def test_an_unknown_baseline_is_refused() -> None:
    with pytest.raises(InvalidInput, match="no arm 'nope'"):
        comparison.build(study(SMALL, seeds=1), baseline="nope")


def test_arms_that_are_equal_by_construction() -> None:
    """Native dropout on a model that has none trains the same runs as no dropout."""
    records = study(SMALL)
    table = records.evaluations
    metrics = {name: values.copy() for name, values in table.metrics.items()}
    for seed in range(5):
        for name in metrics:
            metrics[name][table.run == 3 * seed + 1] = metrics[name][table.run == 3 * seed]
    difference = comparison.build(replace(records, evaluations=replace(table, metrics=metrics))).arms[1].differences
    assert difference["gap"].meaning == "The same generalization gap as No dropout in each of 5 seeds."
    assert difference["gap"].decided == "undecided"
    assert difference["gap"].seeds_needed is None


def test_three_hundred_arms() -> None:
    plans = [Plan("none"), *(Plan("hiddencut", f"hiddencut {i}", 0.3, rate=0.1) for i in range(299))]
    built = comparison.build(study(plans, seeds=2, evaluations=3))
    assert len(built.arms) == 300
    assert built.pairwise is not None
    assert len(built.pairwise.arm_ids) == 22
    assert built.pairwise.arms_left_out == 278


@given(st.lists(st.sampled_from([np.nan, np.inf, -np.inf, 0.0, 1e308, -1e308, 1e-300, 0.7]), min_size=6, max_size=6))
@settings(max_examples=40)
def test_no_number_breaks_the_comparison(values: list[float]) -> None:
    records = study(SMALL[:2], seeds=3, evaluations=1)
    metrics = {**records.evaluations.metrics, "validation/loss": np.array(values)}
    built = comparison.build(replace(records, evaluations=replace(records.evaluations, metrics=metrics)))
    built.model_dump_json()


@settings(max_examples=20)
@given(shift=st.sampled_from([-0.25, -0.1, -1e-9, 0.0, 0.125, 0.3, 3.0]), seeds=st.integers(2, 8))
def test_a_difference_that_is_the_same_in_every_seed_names_no_number_of_seeds(shift: float, seeds: int) -> None:
    """No spread, no power: not *more than 1,000 seeds*, in no sentence and no table."""
    records = study(SMALL, seeds=seeds)
    table = records.evaluations
    metrics = {name: values.copy() for name, values in table.metrics.items()}
    for seed in range(seeds):
        for arm in (1, 2):
            mine, base = table.run == 3 * seed + arm, table.run == 3 * seed
            for name in metrics:
                metrics[name][mine] = metrics[name][base]
            metrics["validation/loss"][mine] += shift
    built = comparison.build(replace(records, evaluations=replace(table, metrics=metrics)))
    rows = json.dumps(result_table(built).rows)
    assert "1,000" not in built.model_dump_json() + rows
    loss = built.arms[1].differences["validation/loss"]
    assert (loss.p_t, loss.seeds_needed_holm) == (None, None)
    assert ("no spread" in rows) is (loss.decided == "undecided")
    answer = next(answer for answer in built.answers if answer.id == "use")
    if shift < 0 and 3 <= seeds < 6:
        assert "in every seed alike" in loss.meaning
        assert answer.arm_id == "arm-0"
    if seeds < 3:
        assert answer.headline == "Too early to tell."
