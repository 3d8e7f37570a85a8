"""Plans through the comparison: verdicts at looks, who is judged, what lies beyond, and studies without a plan."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backend.comparison import schema
from backend.comparison.build import build
from backend.comparison.plan.judge import judge
from backend.comparison.snapshot import dump, load
from backend.comparison.statistics.records import StudyRecords
from tests.backend.comparison.plan import simulated
from tests.backend.make_records import Plan, study, with_run

ARMS = [Plan(), Plan("hiddenkey", rise=0.1), Plan("dropkey", rise=0.4)]


def planned(seeds: int = 5, arms: list[Plan] = ARMS, **plan: Any) -> StudyRecords:
    """A finished study with a plan: one look at five seeds unless told otherwise."""
    own = {"baseline": "none", "metric": "validation/loss", "smallest": 0.02, "looks": [5]} | plan
    own["arms"] = own.pop("arms_judged", None)
    own["seeds"] = own["looks"][-1]
    return replace(study(arms, seeds=seeds), baseline_arm_id="arm-0", plan=own)


def under_way(records: StudyRecords, seeds: int) -> StudyRecords:
    """The study when these first seeds have finished and the others run."""
    for i, run in enumerate(records.runs):
        if run.seed >= seeds:
            records = with_run(records, i, status="running")
    return records


def of(found: schema.Comparison) -> schema.PlanShown:
    """Its plan, which it has."""
    assert found.plan is not None
    return found.plan


def kinds(found: schema.Comparison) -> list[str | None]:
    """The verdicts, in the order of arms."""
    return [arm.verdict.kind if arm.verdict else None for arm in found.arms]


def words(found: schema.Comparison, arm: int = 1) -> str:
    """What is said of an arm."""
    verdict = found.arms[arm].verdict
    assert verdict is not None
    return verdict.words


def test_a_finished_look() -> None:
    """The verdict, its words, and that the plan's error is spent."""
    found = build(planned())
    assert kinds(found) == [None, "better_by_more", "no_difference"]
    assert words(found).startswith("Better by more than it matters (0.02 nats): validation loss lower by 0.")
    assert words(found, 2).startswith("No difference that matters: validation loss higher by 0.00")
    assert words(found, 2).endswith(" after 5 seeds, within 0.02 nats either way.")
    strict = build(planned(smallest=0.001))
    assert words(strict, 2).startswith("Cannot tell with this plan: validation loss higher by 0.00")
    assert words(strict, 2).endswith("after 5 seeds, its last look.")
    plan = of(found)
    assert (plan.next_look, plan.error_left, plan.exploratory) == (None, 0.0, [])
    assert plan.standing == "Drawn: its error is spent."
    assert "2 arms are judged against No dropout by validation loss" in plan.sentence
    assert found.arms[1].differences["validation/loss"].decided == "lower"
    assert found.arms[1].differences["validation/loss"].meaning == words(found)


def test_between_looks_nothing_is_told() -> None:
    """Seeds that come in after a look change no verdict, and the comparison calls nothing decided on the way."""
    early = build(planned(4))
    assert kinds(early) == [None, "not_yet", "not_yet"]
    assert words(early) == "Not yet. The next look is at 5 seeds."
    assert early.arms[1].differences["validation/loss"].decided == "undecided"
    at_five, at_seven = (build(under_way(planned(8, looks=[5, 8]), seeds)) for seeds in (5, 7))
    assert [arm.verdict for arm in at_five.arms] == [arm.verdict for arm in at_seven.arms]
    assert of(at_seven).next_look == 8
    assert of(at_seven).standing == "1 of 2 looks drawn; the next is at 8 seeds; 82 % of the error is left."


def test_a_score_has_its_own_direction_and_unit() -> None:
    """Higher is better of accuracy, and what matters is said in percentage points."""
    arms = [Plan(rise=3.0), Plan("hiddenkey", rise=0.1)]
    found = build(planned(arms=arms, metric="validation/accuracy", smallest=0.01))
    verdict = found.arms[1].verdict
    assert verdict is not None
    assert verdict.kind == "better_by_more"
    assert verdict.lo is not None
    assert verdict.hi is not None
    assert 0.01 < verdict.lo < verdict.hi
    assert verdict.words.startswith(
        "Better by more than it matters (1 percentage point): validation accuracy higher by"
    )
    assert found.arms[1].differences["validation/accuracy"].decided == "higher"


def test_a_diverged_seed_is_never_better() -> None:
    """It stands in the verdict, however good the other seeds are."""
    records = with_run(planned(), 4, status="failed", failure_code="loss_nan")
    found = build(records)
    assert kinds(found)[1] == "cannot_tell"
    assert "1 of 5 seeds diverged, the worst outcome there is: no verdict of better." in words(found)


def test_a_lost_run_keeps_its_arm_waiting() -> None:
    """It is no outcome: the arm waits for it, says so, and the other is judged."""
    records = with_run(planned(), 4, status="failed", failure_code="worker_lost")
    found = build(records)
    assert kinds(found) == [None, "not_yet", "no_difference"]
    assert (
        words(found) == "Not yet. The next look is at 5 seeds. Seed 1 of hiddenkey was lost and is no result; retry it."
    )
    assert not of(found).looks[0].done
    base = build(with_run(planned(), 3, status="cancelled"))
    assert kinds(base) == [None, "not_yet", "not_yet"]
    assert "Seed 1 of none was cancelled" in words(base)


def test_what_lies_beyond_the_plan_is_marked() -> None:
    """Another baseline, metric, clock, later arms and seeds: each a sentence, none in a verdict."""
    records = planned(7, arms=[*ARMS, Plan("hiddencut", rise=0.0)], arms_judged=["hiddenkey", "dropkey"])
    found = build(records, baseline="arm-2", metric="gap")
    assert kinds(found) == [None, "better_by_more", "no_difference", None]
    beyond = of(found).exploratory
    assert len(beyond) == 4
    assert beyond[0] == "Differences are to DropKey; the plan judges against No dropout."
    assert beyond[1] == "Ranked by generalization gap; the plan judges by validation loss."
    assert beyond[2] == "1 arm of the study is not judged by the plan: HiddenCut."
    assert beyond[3] == "2 seeds beyond the plan's 5: in means and intervals, not in verdicts."
    assert [arm.verdict for arm in build(records).arms] == [arm.verdict for arm in found.arms]


def test_a_study_of_before_is_unplanned() -> None:
    """Its numbers are what they were, and no verdict is drawn."""
    found = build(study(ARMS))
    assert found.plan is None
    assert kinds(found) == [None, None, None]


@pytest.mark.parametrize("plan", [{"baseline": "nobody"}, {}])
def test_a_frozen_study_keeps_its_plan(plan: dict[str, Any]) -> None:
    """Through the bytes of a share link; a plan whose baseline is gone is none."""
    records = planned(**plan)
    found, again = build(records), build(load(dump({}, records)).records)
    assert (again.plan is None) == bool(plan)
    assert (again.plan, kinds(again)) == (found.plan, kinds(found))


def test_the_comparison_says_what_the_judge_says() -> None:
    """Simulated studies through the whole comparison: each arm's verdict is the judge's of the same numbers."""
    rng = np.random.default_rng(4)
    seen = set()
    for kind in simulated.KINDS[:3]:
        arms = [Plan(), *(Plan("dropkey", label=f"DropKey {i}") for i in range(7))]
        records = planned(8, arms=arms, looks=list(simulated.LOOKS), smallest=0.8)
        values = simulated.values(kind, rng, 8) - np.array([0, 0, 0, 0, 1, 2, 3, -3.0])[:, None]
        table = records.evaluations
        loss = table.metrics["validation/loss"].copy()
        for i in np.flatnonzero(table.step == table.step.max()):
            run = records.runs[table.run[i]]
            loss[i] = values[int(run.arm_id.removeprefix("arm-")), run.seed]
        shown = replace(table, metrics={**table.metrics, "validation/loss": loss})
        expected = [one.kind for one in judge(values[1:], values[0], simulated.LOOKS, 0.8)]
        assert kinds(build(replace(records, evaluations=shown)))[1:] == expected
        seen |= set(expected)
    assert len(seen) > 2


def test_what_the_plan_does_not_judge_is_decided_at_its_looks_too() -> None:
    """Another quantity, another baseline: nothing between looks, and at them by bounds that looking does not wear."""
    records = planned(8, looks=[5, 8])
    before, at_five = (build(under_way(records, seeds)) for seeds in (4, 6))
    gap = [found.arms[1].differences["gap"] for found in (before, at_five)]
    assert [one.decided for one in gap] == ["undecided", "lower"]
    assert gap[0].meaning == "Not looked at yet: the first look is after 5 seeds."
    assert gap[1].meaning.startswith("Generalization gap lower by 0.")
    assert gap[1].meaning.endswith("after 5 seeds: clear of seed noise, though it is not what the plan judges by.")
    other = build(under_way(records, 4), baseline="arm-1").arms[0].differences["validation/loss"]
    assert other.decided == "undecided"
    assert build(under_way(records, 6), baseline="arm-1").arms[0].differences["validation/loss"].decided == "higher"


def test_each_arm_is_judged_against_the_baseline_of_its_rank() -> None:
    """DropKey gains on plain LoRA of rank 8 and nothing on that of rank 32, which is better than both of rank 8."""
    arms = [Plan("none", "r8", rise=0.4), Plan("none", "r32", rise=0.1, rank=32),
            Plan("dropkey", "key r8", rise=0.25), Plan("dropkey", "key r32", rise=0.1, rank=32)]  # fmt: skip
    one = build(planned(arms=arms, baseline="r8"))
    assert kinds(one) == [None, "better_by_more", "better_by_more", "better_by_more"]
    found = build(planned(arms=arms, baseline="r8", baselines=("r8", "r32")))
    assert kinds(found) == [None, None, "better_by_more", "no_difference"]
    assert of(found).baseline_arm_ids == ["arm-0", "arm-1"]
    assert words(found, 3).endswith("Judged against r32.")
    assert words(found, 2).endswith("Judged against r8.")
    assert of(found).sentence.startswith("2 arms are judged against the baseline of their rank (r8, r32) by")
    differences = [arm.differences["validation/loss"] for arm in found.arms[1:]]
    assert [one.decided for one in differences] == ["lower"] * 3  # to r8, by tests of their own
    assert differences[2].mean == pytest.approx(one.arms[3].differences["validation/loss"].mean)
    assert differences[1].meaning == found.arms[2].verdict.words  # type: ignore[union-attr]
    assert "clear of seed noise" in differences[2].meaning
    assert any("baseline of the arm's own rank" in note for note in found.notes)


def test_a_look_waits_for_the_baselines_of_all_ranks() -> None:
    arms = [Plan("none", "r8"), Plan("none", "r32", rank=32), Plan("dropkey", "key", rise=0.1, rank=32)]
    records = planned(arms=arms, baseline="r8", baselines=("r8", "r32"))
    waiting = build(with_run(records, 1, status="running"))
    assert [look.done for look in of(waiting).looks] == [False]
    assert kinds(waiting) == [None, None, "not_yet"]
    assert kinds(build(records)) == [None, None, "better_by_more"]
