"""Studies from which nothing can be learned are states of their own: nothing throws, and nothing is claimed."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backend.comparison.build import build
from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import StudyRecords
from backend.shared.run_status import FailureCode
from tests.backend.make_records import Plan, study, with_halves, with_run, without_rows

ARMS = [Plan(), Plan("dropkey", rise=0.1), Plan("hiddencut", rise=0.4)]
SEEDS = 5


def planned(records: StudyRecords, **plan: object) -> StudyRecords:
    """With one look at five seeds, by validation loss unless told otherwise."""
    own = {"baseline": "none", "metric": "validation/loss", "smallest": 0.02, "seeds": SEEDS, "looks": [SEEDS]}
    return replace(records, baseline_arm_id="arm-0", plan=own | plan)


def every_run_diverged() -> StudyRecords:
    """No loss of any run is a number at its end, and all have failed."""
    records = planned(with_halves(study(ARMS)))
    for i in range(len(records.runs)):
        records = with_run(records, i, status="failed", failure_code=FailureCode.LOSS_NAN)
    return records


def constant_scores() -> StudyRecords:
    """All runs get the same share of answers right, at every evaluation."""
    records = with_halves(study(ARMS))
    table = records.evaluations
    same = {name: np.full_like(values, 0.5) for name, values in table.metrics.items() if name.endswith("accuracy")}
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, **same}))
    return planned(records, metric="validation/accuracy", smallest=0.01)


def ties_in_every_seed() -> StudyRecords:
    """Every arm is the baseline, to the last bit."""
    records = with_halves(study(ARMS))
    table = records.evaluations
    first = table.run - table.run % len(ARMS)
    place = {key: i for i, key in enumerate(zip(table.run.tolist(), table.step.tolist(), strict=True))}
    of_base = np.array([place[key] for key in zip(first.tolist(), table.step.tolist(), strict=True)])
    metrics = {name: values[of_base] for name, values in table.metrics.items()}
    return planned(replace(records, evaluations=replace(table, metrics=metrics)))


def unlike_seeds() -> StudyRecords:
    """The arms have no seed in common with the baseline."""
    records = planned(with_halves(study(ARMS, seeds=6)), looks=[6], seeds=6)
    kept = [i for i, run in enumerate(records.runs) if (run.seed % 2 == 0) == (run.arm_id == "arm-0")]
    dropped = without_rows(records, ~np.isin(records.evaluations.run, kept))
    new = {old: i for i, old in enumerate(kept)}
    table = dropped.evaluations
    index = np.array([new[run] for run in table.run.tolist()], np.int64)
    return replace(dropped, runs=tuple(records.runs[i] for i in kept), evaluations=replace(table, run=index))


def one_evaluation() -> StudyRecords:
    """Nothing was looked at but the end."""
    return planned(with_halves(study(ARMS, evaluations=1, noise=0.05)))


def nothing_finished() -> StudyRecords:
    """All runs wait, and nothing was measured."""
    records = planned(study(ARMS))
    for i in range(len(records.runs)):
        records = with_run(records, i, status="queued")
    return without_rows(records, np.ones(len(records.evaluations.run), bool))


def claims(found: Comparison) -> list[str]:
    """All that a comparison says is decided."""
    told = [arm.verdict.kind for arm in found.arms if arm.verdict is not None]
    decided = [one.decided for arm in found.arms for one in arm.differences.values()]
    return [kind for kind in told if kind in ("better", "better_by_more", "worse")] + [
        way for way in decided if way != "undecided"
    ]


@pytest.mark.parametrize("clock", ["last", "stopped"])
@pytest.mark.parametrize(
    "made", [every_run_diverged, ties_in_every_seed, unlike_seeds, nothing_finished], ids=lambda made: made.__name__
)
def test_nothing_is_claimed(made: Callable[[], StudyRecords], clock: str) -> None:
    found = build(made(), clock=clock)  # type: ignore[arg-type]
    assert claims(found) == []
    assert all(answer.headline and answer.text for answer in found.answers)
    assert found.plan is not None
    assert not any(answer.headline.startswith("Use DropKey") for answer in found.answers)


def test_runs_that_all_diverged_are_told() -> None:
    found = build(every_run_diverged())
    assert [arm.counts.diverged for arm in found.arms] == [SEEDS] * 3
    assert all("5 of 5 seeds diverged" in arm.verdict.words for arm in found.arms if arm.verdict is not None)


def test_ties_are_no_difference_that_matters() -> None:
    """The same in all of six seeds: signs can tell that it is within what matters, were there a look at them."""
    verdicts = [arm.verdict for arm in build(ties_in_every_seed()).arms[1:]]
    assert {verdict.kind for verdict in verdicts if verdict is not None} <= {"no_difference", "cannot_tell"}
    assert all("the same" in verdict.words for verdict in verdicts if verdict is not None)


def test_constant_scores_decide_nothing_by_the_score() -> None:
    found = build(constant_scores(), metric="validation/accuracy")
    kinds = [arm.verdict.kind for arm in found.arms if arm.verdict is not None]
    assert not set(kinds) & {"better", "better_by_more", "worse"}
    assert all(arm.differences["validation/accuracy"].decided == "undecided" for arm in found.arms[1:])


def test_one_evaluation_says_nothing_of_overfitting() -> None:
    found = build(one_evaluation())
    assert {arm.overfitting.state for arm in found.arms} == {"untold"}


def test_arms_with_unlike_seeds_wait_for_pairs() -> None:
    found = build(unlike_seeds())
    assert [arm.verdict.kind for arm in found.arms if arm.verdict is not None] == ["not_yet"] * 2
    assert [arm.differences["validation/loss"].n for arm in found.arms[1:]] == [0, 0]
