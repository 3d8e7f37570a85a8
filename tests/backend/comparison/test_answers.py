"""The four answers in words: each statement is one that the numbers carry, whatever the order of looks and wishes."""

from dataclasses import replace

import numpy as np
import pytest

from backend.comparison import build as comparison
from backend.comparison.answers.card import spoken
from backend.comparison.schema import Answer
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import DEMO, Plan, study, with_run, with_values

SPREAD = np.array([0.0, 0.01, -0.01, 0.02, -0.02, 0.015, -0.015, 0.005])


def ended(losses: dict[str, list[float]], seeds: int = 5, **more: dict[str, list[float]]) -> StudyRecords:
    """A study without overfitting whose arms end so far from 0.6 by seed: methods' names, the baseline first.

    `more` are other quantities' last values by arm, `validation_accuracy=...` for validation/accuracy.
    """
    records = study([Plan(name, rise=0.0) for name in losses], seeds=seeds, noise=0.001)
    table = records.evaluations
    metrics = {name: values.copy() for name, values in table.metrics.items()}
    last = table.step == table.step.max()
    for place, (name, values) in enumerate(losses.items()):
        mine = last & (table.run % len(losses) == place)
        metrics["validation/loss"][mine] = 0.6 + np.resize(values, seeds)
        for quantity, of in more.items():
            column = metrics.setdefault(quantity.replace("_", "/", 1), np.full(len(table.run), np.nan))
            column[mine] = np.resize(of.get(name, [0.5]), seeds)
    return replace(records, evaluations=replace(table, metrics=metrics))


def by(offset: float, scale: float = 1.0) -> list[float]:
    return (offset + scale * SPREAD[:5]).tolist()


def told(records: StudyRecords) -> dict[str, Answer]:
    return {answer.id: answer for answer in comparison.build(records).answers}


def wide(offset: float) -> list[float]:
    return (offset + np.array([0.3, -0.3, 0.2, -0.25, 0.05])).tolist()


def test_stopping_in_time_is_said_before_any_method() -> None:
    """B1: plain LoRA was lower, before it overfitted, than any method at its last step."""
    built = comparison.build(study(DEMO))
    use = built.answers[0]
    assert use.headline.startswith(
        "Stop earlier: no dropout is lowest between steps 32 and 64. If you must train to step 128: HiddenKey."
    )
    assert (use.state, use.arm_id) == ("plain", "arm-0")
    best = built.arms[0].best_validation.mean
    assert use.text.startswith(f"No dropout reaches a validation loss of {best:.3f} between steps 32 and 64, before")
    assert "picked on the rows that report it" in use.text
    assert "Trained to the end, HiddenKey is 0." in use.text
    assert f"{built.arms[7].final['validation/loss'].mean:.3f}). That minimum" in use.text


def test_a_method_that_ends_below_the_baselines_minimum_is_used() -> None:
    records = study([Plan("none", rise=0.4), Plan("dropkey", rise=0.3)])
    lower = with_values(records, "validation/loss", (records.evaluations.run % 2 == 1), 0.4)
    assert told(lower)["use"].headline == "Use DropKey. No difference in accuracy is shown."


def test_a_loss_that_falls_alone_is_said_to_do_so() -> None:
    """B2: a lower loss says nothing of accuracy, which is told beside it."""
    lower = {"none": by(0.0), "hiddencut": by(-0.1, 0.5)}
    same = {"none": by(0.7), "hiddencut": by(0.7, -1.0)}
    use = told(ended(lower, validation_accuracy=same))["use"]
    assert use.headline == "Use HiddenCut. No difference in accuracy is shown."
    assert "Accuracy shows no difference" in use.text
    assert "how sure the answers are, then, not which they are" in use.text
    worse = {"none": by(0.714), "hiddencut": by(0.671, 1.1)}
    use = told(ended(lower, validation_accuracy=worse))["use"]
    assert use.headline.startswith("Keep no dropout: HiddenCut lowers the loss, but its answers get worse. Accuracy is")
    assert (use.state, use.arm_id) == ("undecided", "arm-0")
    assert "With HiddenCut accuracy is lower by" in use.text
    better = {"none": by(0.7), "hiddencut": by(0.75, 1.1)}
    assert "Accuracy is higher by" in told(ended(lower, validation_accuracy=better))["use"].text


@pytest.mark.parametrize("lost", [2, 3])
def test_an_arm_that_diverges_never_wins(lost: int) -> None:
    """B3: two of five runs end in NaN, the others are clearly lower: a result, told in the answer."""
    records = ended({"none": by(0.0), "hiddencut": by(-0.1, 0.5), "dropkey": by(0.05, 0.5)})
    for seed in range(lost):
        records = with_run(records, 3 * seed + 1, status="failed", failure_code="loss_nan", message="No number.")
    built = comparison.build(records)
    arm = built.arms[1]
    assert arm.counts.diverged == lost
    assert arm.differences["validation/loss"].decided == "undecided"
    assert "diverged" in arm.differences["validation/loss"].meaning
    said = {answer.id: answer for answer in built.answers}
    for answer in said.values():
        assert "Use HiddenCut" not in answer.headline
        assert answer.arm_id != "arm-1"
    assert f"HiddenCut in {lost} of 5 seeds diverged" in said["use"].text


def test_a_lost_worker_is_no_result() -> None:
    records = ended({"none": by(0.0), "hiddencut": by(-0.1, 0.5)})
    records = with_run(records, 1, status="failed", failure_code="worker_lost", message="Gone.")
    assert told(records)["use"].headline.startswith("Use HiddenCut.")
    assert "diverged" not in told(records)["use"].text


def test_nothing_is_worse_than_a_baseline_that_diverges() -> None:
    records = ended({"none": by(0.0), "hiddencut": by(0.2, 0.5)})
    assert told(records)["use"].state == "holds"
    records = with_run(records, 0, status="failed", failure_code="loss_nan", message="No number.")
    difference = comparison.build(records).arms[1].differences["validation/loss"]
    assert difference.decided == "undecided"
    assert "No dropout diverged in 1 of 5 seeds" in difference.meaning


def test_equal_methods_are_named_together() -> None:
    """B4: "overfits least" is tested against the rest, not against the baseline alone."""
    gap = {"none": by(0.4), "dropkey": by(0.0, 0.5), "hiddencut": by(0.0002, 1.3), "hiddenkey": by(0.0001, 0.8)}
    said = told(ended(gap, probe_loss={}))
    assert said["gap"].headline.endswith("or 2 others")
    assert said["gap"].state == "holds"
    for name in ("DropKey", "HiddenCut", "HiddenKey"):
        assert name in said["gap"].text
    assert said["loss"].headline.endswith("or 2 others")


def test_learning_nothing_is_no_way_to_overfit_least() -> None:
    """B5: at rate 0.9 the loss stays at ln 2 and accuracy at chance; the gap is the smallest."""
    losses = {"none": by(0.15), "dropkey": by(0.1), "hiddencut": by(0.09, 0.2)}
    probe = {"none": by(0.3), "dropkey": by(0.35, 0.5), "hiddencut": by(0.68, 0.2)}
    accuracy = {"none": by(0.7), "dropkey": by(0.7, 1.1), "hiddencut": by(0.53, 0.9)}
    said = told(ended(losses, probe_loss=probe, validation_accuracy=accuracy))
    assert said["gap"].headline == "DropKey"
    assert "HiddenCut has a smaller gap but predicts worse: less was learned." in said["gap"].text
    losses["hiddencut"] = by(0.4, 0.2)
    said = told(ended(losses, probe_loss=probe))
    assert said["gap"].headline == "DropKey"


def test_an_arm_that_is_clear_is_not_hidden_by_one_that_is_not() -> None:
    """B10: the largest mean was asked only; others were clear of seed noise."""
    records = ended({"none": by(0.0), "native_dropout": wide(-0.12), "dropkey": by(-0.05, 0.5)})
    use = told(records)["use"]
    assert use.headline.startswith("Use DropKey.")
    assert (use.arm_id, use.state) == ("arm-2", "holds")
    assert "Native dropout is lower still so far" in use.text


def test_where_test_rows_exist_the_answers_speak_of_them() -> None:
    """B11: lower on the rows that chose, higher on those that did not."""
    lower = {"none": by(0.0), "hiddencut": by(-0.1, 0.5)}
    test = {"none": by(0.704), "hiddencut": by(0.724, 0.9)}
    said = told(ended(lower, test_loss=test))
    assert said["use"].headline == "Keep no dropout: every other arm is worse."
    assert "test loss" in said["use"].text
    assert comparison.build(ended(lower, test_loss=test)).verdict.metric == "test/loss"
    assert "test loss" in said["loss"].text


def test_where_nothing_is_decided_the_simplest_is_advised() -> None:
    """B13: no method is advised on what seeds alone may explain."""
    records = ended({"none": by(0.0), "hiddencut": wide(-0.05), "dropkey": wide(-0.04)})
    use = told(records)["use"]
    assert use.headline.startswith("Keep no dropout: no method is shown to beat it.")
    assert (use.state, use.arm_id) == ("undecided", "arm-0")
    assert "No dropout is the simplest and the cheapest." in use.text
    assert "not separated from seed noise yet (p = " in use.text
    assert "80 % power" not in use.text


def test_the_family_is_the_arms_that_were_tested() -> None:
    """B16: an arm of one seed has no p, and was counted as corrected for."""
    records = ended({"none": by(0.0), "hiddencut": by(-0.1, 0.5), "dropkey": by(0.05, 0.5)})
    for seed in range(1, 5):
        records = with_run(records, 3 * seed + 2, status="cancelled")
    said = comparison.build(records).arms[1].differences["validation/loss"]
    assert said.p_holm == said.p_t
    assert "after correcting for 1 arm (" in said.meaning


def test_two_seeds_decide_nothing() -> None:
    """B17: however far apart two seeds are, their spread is not known."""
    records = ended({"none": [0.0, 0.01], "hiddencut": [-0.3, -0.2901]}, seeds=2)
    built = comparison.build(records)
    difference = built.arms[1].differences["validation/loss"]
    assert difference.p_holm is not None
    assert difference.p_holm < 0.01
    assert difference.decided == "undecided"
    assert (built.answers[0].headline, built.answers[0].state) == ("Too early to tell.", "waiting")
    assert "Two seeds decide nothing" in built.answers[0].text


@pytest.mark.parametrize(("seeds", "decided"), [(5, "undecided"), (6, "higher"), (8, "higher")])
def test_the_same_difference_in_every_seed_is_tested_by_its_signs(seeds: int, decided: str) -> None:
    """B18: without a spread there is no t test, but n equal signs have a p of 2 / 2ⁿ."""
    losses = {"none": [0.0], "hiddencut": [0.1]}
    accuracy = {"none": [0.7], "hiddencut": [0.725]}
    found = comparison.build(ended(losses, seeds, validation_accuracy=accuracy)).arms[1].differences
    assert found["validation/accuracy"].p_holm == pytest.approx(2 / 2**seeds)
    assert found["validation/accuracy"].decided == decided
    assert "in every seed alike" in found["validation/accuracy"].meaning


def test_a_loss_that_does_not_climb_back_is_no_proof_of_health() -> None:
    said = told(ended({"none": by(0.0), "hiddencut": by(0.1)}))["overfits"]
    assert said.headline == "The loss does not climb back"
    assert "better than new ones" in said.text


def test_where_it_overfits_is_between_two_looks() -> None:
    built = comparison.build(study(DEMO))
    said = next(answer for answer in built.answers if answer.id == "overfits")
    rise = built.arms[0].final["validation/loss"].mean - built.arms[0].best_validation.mean
    assert said.headline == "Yes, between steps 32 and 64"
    assert f"turns up for good in all 5 seeds, {rise:.3f} above its minimum at the end" in said.text


def test_noise_alone_is_called_undecided() -> None:
    built = comparison.build(study([Plan("none"), Plan("dropkey"), Plan("hiddencut")], noise=0.3))
    said = {answer.id: answer for answer in built.answers}
    assert {said["gap"].state, said["use"].state} <= {"undecided", "plain"}
    undecided = [d for arm in built.arms for d in arm.differences.values() if d.decided == "undecided"]
    assert undecided
    assert all("seeds" in difference.meaning for difference in undecided)


def test_every_answer_of_the_demo_names_its_chart_and_arm() -> None:
    built = comparison.build(study(DEMO))
    assert [(answer.id, answer.figure) for answer in built.answers] == [
        ("use", "ranking"),
        ("overfits", "losses"),
        ("gap", "gap"),
        ("loss", "ranking"),
    ]
    assert [answer.headline for answer in built.answers[2:]] == ["HiddenKey", "HiddenKey"]
    difference = built.arms[7].differences["gap"]
    size = f"{-difference.mean:.3f} ± {difference.half_width:.3f}"
    lowers = f"HiddenKey lowers the gap by {size} against no dropout, clear of seed noise after correction."
    assert built.answers[2].text.startswith(f"{lowers} It is told apart from every other arm.")


def texts(records: StudyRecords) -> dict[str, str]:
    return {answer.id: answer.text for answer in comparison.build(records).answers}


def test_names_in_answers_are_shortened_and_isolated() -> None:
    long, rtl = Plan("composed", "🦙" * 200, 0.1), Plan("composed", "طريقة جديدة", 0.05)
    found = texts(study([Plan("none"), long]))
    assert "🦙" * 59 + "…" in found["gap"]
    assert "🦙" * 60 not in found["gap"]
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


def test_another_baseline_than_the_studys_own_is_exploratory() -> None:
    """B9: whoever tries every baseline finds a difference."""
    records = replace(study(DEMO), baseline_arm_id="arm-0")

    def noted(baseline: str | None) -> bool:
        return any("exploratory, and its chance" in note for note in comparison.build(records, baseline=baseline).notes)

    assert noted("arm-3")
    assert not noted(None)
    assert not noted("arm-0")


def test_names_of_scores_keep_their_capitals() -> None:
    better = ended({"none": by(0.0), "dropkey": by(0.0)}, validation_macro_f1={"none": by(0.6), "dropkey": by(0.7, 2)})
    meaning = comparison.build(better).arms[1].differences["validation/macro_f1"].meaning
    assert meaning.startswith("Validation macro-F1 higher by")


def test_a_plan_says_what_further_seeds_are_for_and_nothing_is_promised_from_what_was_measured() -> None:
    records = ended({"none": by(0.0), "hiddenkey": by(-0.004, -0.5)})
    plan = {"baseline": "none", "metric": "validation/loss", "smallest": 0.02, "seeds": 8, "looks": [8]}
    unplanned = told(records)["use"].text
    planned = told(replace(records, plan=plan))["use"].text
    assert "four studies of five" in unplanned
    assert "four studies of five" not in planned
    assert "The plan: 0 of 1 look drawn; the next is at 8 seeds." in planned
