"""Studies that are not finished, broken or strange: every one has a comparison that says so."""

import json
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.comparison import build as comparison
from backend.comparison.answers import spoken
from backend.comparison.schema import Answer
from backend.comparison.statistics.records import Evaluations, StudyRecords
from backend.reports.table import result_table
from backend.shared.errors import InvalidInput
from tests.backend.make_records import DEMO, Plan, study, with_run, with_values, without_rows

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
    assert (use.id, use.headline, use.state) == ("use", "Too early to tell", "waiting")
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
@settings(max_examples=40, deadline=None)
def test_no_number_breaks_the_comparison(values: list[float]) -> None:
    records = study(SMALL[:2], seeds=3, evaluations=1)
    metrics = {**records.evaluations.metrics, "validation/loss": np.array(values)}
    built = comparison.build(replace(records, evaluations=replace(records.evaluations, metrics=metrics)))
    built.model_dump_json()


def test_names_in_answers_are_shortened_and_isolated() -> None:
    long, rtl = Plan("composed", "🦙" * 200, 0.1), Plan("composed", "طريقة جديدة", 0.05)
    found = texts(study([Plan("none"), long]))
    assert "🦙" * 59 + "…" in found["gap"]
    assert len(found["gap"]) < 200
    assert "\u2068طريقة جديدة\u2069" in texts(study([Plan("none"), rtl]))["gap"]


def test_names_of_the_methods_lose_their_capital_within_a_sentence_and_other_names_do_not() -> None:
    plans = [
        Plan("none", "No dropout · rank 4", rank=4),
        Plan("none", "No dropout · rank 8"),
        Plan("dropkey", "Mine"),
        Plan("hiddenkey"),
    ]
    arms = comparison.build(study(plans)).arms
    assert [spoken(arm) for arm in arms] == ["no dropout · rank 4", "no dropout · rank 8", "Mine", "HiddenKey"]


def test_the_four_answers_of_a_finished_study() -> None:
    built = comparison.build(study(DEMO))
    said = {answer.id: answer for answer in built.answers}
    assert list(said) == ["use", "overfits", "gap", "loss"]
    difference = built.arms[7].differences["gap"]
    amount = f"{-difference.mean:.3f} ± {difference.half_width:.3f}"
    assert said["gap"].text == f"HiddenKey lowers the gap by {amount} against no dropout; holds after correction."
    assert (said["gap"].state, said["gap"].arm_id) == ("holds", "arm-7")
    assert "turns up after step 48 in all 5 seeds" in said["overfits"].text
    best, base = (built.arms[i].final["validation/loss"].mean for i in (7, 0))
    assert said["use"].headline == "Use HiddenKey"
    assert f"lowest loss on text that it was not trained on: {best:.3f} against {base:.3f}" in said["use"].text
    assert "more than chance explains (Holm p < 0.001)" in said["use"].text
    assert "Training takes 1.4× as long." in said["use"].text
    assert [said[key].headline for key in ("overfits", "gap", "loss")] == [
        "Yes, after step 48",
        "HiddenKey",
        "HiddenKey",
    ]


def test_noise_alone_is_called_undecided() -> None:
    built = comparison.build(study([Plan("none"), Plan("dropkey"), Plan("hiddencut")], noise=0.3))
    said = {answer.id: answer for answer in built.answers}
    assert {said["gap"].state, said["use"].state} <= {"undecided", "plain"}
    undecided = [d for arm in built.arms for d in arm.differences.values() if d.decided == "undecided"]
    assert undecided
    assert all("seeds" in difference.meaning for difference in undecided)


OPEN = [Plan("none"), Plan("native_dropout"), Plan("hiddenkey", rise=0.2)]


def _use(records: StudyRecords) -> Answer:
    return comparison.build(records).answers[0]


def test_where_nothing_is_decided_it_says_what_to_take_today_and_at_which_price() -> None:
    records = study(OPEN, noise=0.3)
    use = _use(records)
    loss = comparison.build(records).arms[2].final["validation/loss"].mean
    assert (use.headline, use.state, use.arm_id) == ("No clear winner", "undecided", "arm-2")
    assert use.advice == (
        f"If you must choose today: HiddenKey. It has the lowest validation loss so far ({loss:.3f}), with the "
        "smallest gap; training takes 1.42× as long. No dropout is not shown to be worse."
    )
    assert use.text.startswith("Its lead over no dropout (0.10 ± 0.18 in validation loss) may be chance")
    equal = replace(records, runs=tuple(replace(run, seconds=10.0) for run in records.runs))
    assert str(_use(equal).advice).endswith("the smallest gap, at no extra training time (1.00× that of no dropout).")
    unknown = replace(records, runs=tuple(replace(run, seconds=None) for run in records.runs))
    assert str(_use(unknown).advice).endswith(", with the smallest gap.")


def test_the_advice_hides_no_drawback() -> None:
    records = study(OPEN, noise=0.3)
    third = records.evaluations.run % 3 == 2
    wider = _use(with_values(records, "probe/loss", third, -0.5))
    assert ", but with a larger gap than no dropout; training takes 1.42× as long" in str(wider.advice)
    second = _use(with_values(records, "probe/loss", records.evaluations.run % 3 == 1, 5.0))
    assert ", with a smaller gap than no dropout; training" in str(second.advice)


@pytest.mark.parametrize(("rise", "nearly"), [(0.05, True), (0.3, False)])
def test_who_is_nearly_as_good_for_less_is_named_or_taken(rise: float, nearly: bool) -> None:
    records = study([Plan("none", rise=0.4), Plan("dropkey", rise=rise), Plan("hiddenkey", rise=0.0)], noise=0.3)
    # The same noise in both, so that what they differ by is known.
    losses = records.evaluations.metrics["validation/loss"].reshape(-1, 8).copy()
    losses[1::3, -1] = losses[2::3, -1] + 2 * rise / 3
    losses[0::3, -1] = losses[2::3, -1] + 1 + np.array([0.0, 3.0, -3.0, 2.0, -2.0])
    metrics = {**records.evaluations.metrics, "validation/loss": losses.reshape(-1)}
    records = replace(records, evaluations=replace(records.evaluations, metrics=metrics))
    use = _use(records)
    best, cheaper = (comparison.build(records).arms[i].final["validation/loss"].mean for i in (2, 1))
    if nearly:
        assert use.arm_id == "arm-1"
        assert str(use.advice).startswith(
            f"If you must choose today: DropKey. Its validation loss ({cheaper:.3f}) is all but the lowest so far "
            f"(HiddenKey, {best:.3f})"
        )
        assert str(use.advice).endswith("; training takes 1.00× as long, not 1.42×.")
        assert use.text.startswith("Its lead over no dropout (0.97 ± 3.17 in validation loss) may be chance")
    else:
        assert use.arm_id == "arm-2"
        assert str(use.advice).endswith(f"as long. For less time: DropKey ({cheaper:.3f}, 1.00×).")


def test_what_is_decided_needs_no_advice() -> None:
    assert [answer.advice for answer in comparison.build(study(DEMO)).answers] == [None] * 4
    assert _use(study([Plan("none"), Plan("dropkey")], noise=0.3)).advice is None


@settings(max_examples=20, deadline=None)
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
    assert "no spread" in rows
    if shift < 0:
        answer = next(answer for answer in built.answers if answer.id == "use")
        assert "cannot be tested. It is the same in every seed" in answer.text
