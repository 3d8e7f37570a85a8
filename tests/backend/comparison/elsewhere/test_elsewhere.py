"""What training changed on further data sets: against SciPy from the raw numbers, with diverged runs as the worst."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from backend.comparison import build
from backend.comparison.export import lines_of
from backend.comparison.schema import Change, Elsewhere
from backend.comparison.snapshot import dump, load
from backend.comparison.statistics.records import Evaluations, StudyRecords
from tests.backend.make_records import Plan, study, with_run

FURTHER = "also/general/loss"
SEEDS, LOOKS, INTERVAL = 5, 8, 16
PLANS = [Plan("none"), Plan("hiddenkey"), Plan("dropkey")]


def measured(
    rises: tuple[float, ...] = (0.31, 0.12, 0.31), *, seeds: int = SEEDS, noise: float = 0.01, before: float = 2.0
) -> StudyRecords:
    """A finished study whose runs rise this much on the data set `general`, arm by arm, with halves and a step 0."""
    records = study(PLANS[: len(rises)], seeds=seeds, evaluations=LOOKS, interval=INTERVAL)
    rng, table = np.random.default_rng(3), records.evaluations
    arm_of = np.array([int(run.arm_id.removeprefix("arm-")) for run in records.runs])
    share = table.step / (INTERVAL * LOOKS)
    luck = rng.normal(0, noise, len(records.runs))
    further = before + np.array(rises)[arm_of[table.run]] * share + luck[table.run]
    own = table.metrics["validation/loss"]
    metrics = dict(table.metrics) | {
        FURTHER: further,
        "validation_a/loss": own + rng.normal(0, 0.01, len(own)),
        "validation_b/loss": own + rng.normal(0, 0.01, len(own)),
    }
    first = np.arange(len(records.runs))
    at_first = {FURTHER: before, "validation/loss": 0.7, "validation_a/loss": 0.6, "validation_b/loss": 0.9}
    joined = Evaluations(
        run=np.concatenate([table.run, first]),
        step=np.concatenate([table.step, np.zeros(len(first), np.int64)]),
        epoch=np.concatenate([table.epoch, np.zeros(len(first))]),
        metrics={
            name: np.concatenate([values, np.full(len(first), at_first.get(name, np.nan))])
            for name, values in metrics.items()
        },
    )
    also = [{"dataset": {"id": "general", "content_hash": "0"}, "task": "causal_lm", "split": "train", "rows": 200}]
    arms = tuple(replace(arm, spec={**arm.spec, "also_measure": also}) for arm in records.arms)
    return replace(records, arms=arms, evaluations=joined, task="causal_lm")


def told(records: StudyRecords, clock: str = "last") -> Elsewhere:
    found = build.build(records, clock=clock).elsewhere  # type: ignore[arg-type]
    assert found is not None
    return found


def raw(records: StudyRecords, arm: int, step: int, name: str = FURTHER) -> np.ndarray:
    """The values of an arm at a step, by seed."""
    table = records.evaluations
    rows = [i for i, run in enumerate(records.runs) if run.arm_id == f"arm-{arm}"]
    return np.array([table.metrics[name][(table.run == row) & (table.step == step)][0] for row in rows])


def change(found: Elsewhere, arm: int, clock: str = "last") -> Change:
    one = found.sets[0].measures[0].arms[arm]
    at = one.last if clock == "last" else one.stopped
    assert at is not None
    return at


def test_changes_and_differences_are_scipys() -> None:
    records = measured()
    found = told(records)
    end = INTERVAL * LOOKS
    mine, base = (raw(records, arm, end) - raw(records, arm, 0) for arm in (1, 0))
    one = change(found, 1)
    assert one.change.mean == pytest.approx(mine.mean())
    lo, hi = stats.t.interval(0.95, SEEDS - 1, mine.mean(), stats.sem(mine))
    assert (one.change.lo, one.change.hi) == pytest.approx((lo, hi))
    paired = stats.ttest_rel(mine, base)
    assert one.difference is not None
    assert one.difference.mean == pytest.approx((mine - base).mean())
    interval = paired.confidence_interval()
    assert (one.difference.lo, one.difference.hi) == pytest.approx((interval.low, interval.high))
    assert one.difference.p_t == pytest.approx(paired.pvalue)
    assert one.difference.decided == "lower"
    assert change(found, 0).difference is None
    assert [arm.before.mean for arm in found.sets[0].measures[0].arms] == pytest.approx([2.0] * 3)


def test_stopped_is_read_where_the_halves_of_the_own_rows_stop() -> None:
    records = measured()
    found = told(records, "stopped")
    a, b = (np.array([raw(records, 1, step, f"validation_{half}/loss") for step in _steps()]) for half in "ab")
    values = np.array([raw(records, 1, step) for step in _steps()])
    seeds = np.arange(SEEDS)
    expected = (values[a.argmin(0), seeds] + values[b.argmin(0), seeds]) / 2 - 2.0
    assert change(found, 1, "stopped").change.mean == pytest.approx(expected.mean())
    learned = found.own[0].arms[1]
    assert learned.stopped is not None
    own = (b[a.argmin(0), seeds] + a[b.argmin(0), seeds]) / 2 - 0.75
    assert learned.stopped.change.mean == pytest.approx(own.mean())


def _steps() -> range:
    return range(INTERVAL, INTERVAL * LOOKS + 1, INTERVAL)


def test_the_sentence_claims_what_is_shown_and_no_more() -> None:
    claimed = told(measured(noise=0.001)).sentence
    assert claimed.startswith(
        "HiddenKey forgot less than No dropout: loss on general rose by 0.12 instead of 0.31 nats (difference −"
    )
    assert "DropKey" not in claimed
    nothing = told(measured((0.31, 0.31, 0.31), noise=0.2)).sentence
    assert nothing.startswith("No difference shown on general: its loss rose by ")
    worse = told(measured((0.1, 0.5, 0.4), noise=0.001)).sentence
    assert "HiddenKey forgot more than No dropout: loss on general rose by 0.50 instead of 0.10 nats" in worse
    assert worse.endswith("So did DropKey.")
    gained = told(measured((-0.1, -0.3, -0.1), noise=0.001)).sentence
    assert "HiddenKey gained more than No dropout: loss on general fell by 0.30 instead of 0.10 nats" in gained
    turned = told(measured((-0.1, 0.3, -0.1), noise=0.001)).sentence
    assert (
        "HiddenKey forgot more than No dropout: loss on general rose by 0.30 instead of falling by 0.10 nats" in turned
    )


def test_the_sentence_speaks_of_the_clock_that_was_asked_for() -> None:
    records = measured(noise=0.001)
    assert (
        "forgot less than No dropout, both stopped in time: loss on general rose by"
        in told(records, "stopped").sentence
    )
    nothing = told(measured((0.31, 0.31, 0.31), noise=0.2), "stopped").sentence
    assert nothing.endswith("with No dropout stopped in time.")


def test_sizes_that_are_close_have_the_digits_to_tell_them_apart() -> None:
    close = told(measured((0.016, 0.012, 0.016), noise=0.0002)).sentence
    assert "loss on general rose by 0.012 instead of 0.016 nats (difference −0.00" in close


def test_two_seeds_decide_nothing() -> None:
    found = told(measured(seeds=2))
    assert {change(found, arm).difference.decided for arm in (1, 2)} == {"undecided"}  # type: ignore[union-attr]
    assert "2 seeds cannot tell the arms apart" in found.sentence


def test_an_arm_with_a_diverged_seed_is_never_better() -> None:
    records = measured(seeds=6)
    index = next(i for i, run in enumerate(records.runs) if run.arm_id == "arm-1")
    gone = with_run(records, index, status="failed", failure_code="loss_nan")
    found = told(gone)
    one = change(found, 1)
    assert one.worst == 1
    assert one.difference is not None
    assert one.difference.n == 5
    assert one.difference.decided == "undecided"
    assert "forgot less" not in found.sentence
    assert "1 seed of HiddenKey" in found.sentence


def test_no_number_elsewhere_is_the_worst_though_the_own_loss_is_one() -> None:
    records = measured()
    table = records.evaluations
    values = table.metrics[FURTHER].copy()
    index = next(i for i, run in enumerate(records.runs) if run.arm_id == "arm-1")
    values[(table.run == index) & (table.step == INTERVAL * LOOKS)] = np.inf
    found = told(replace(records, evaluations=replace(table, metrics={**table.metrics, FURTHER: values})))
    one = change(found, 1)
    assert (one.worst, one.value.n) == (1, SEEDS - 1)
    assert one.difference is not None
    assert one.difference.decided == "undecided"


def test_the_study_itself_is_compared_as_if_it_were_measured_nowhere_else() -> None:
    records = measured()
    table = records.evaluations
    later = table.step > 0
    without = Evaluations(
        table.run[later],
        table.step[later],
        table.epoch[later],
        {name: values[later] for name, values in table.metrics.items() if name != FURTHER},
    )
    plain = build.build(replace(records, evaluations=without))
    with_it = build.build(records)
    assert with_it.arms == plain.arms
    assert (with_it.ranking, with_it.answers[1:], with_it.plan) == (plain.ranking, plain.answers[1:], plain.plan)
    own = [
        one.verdict.model_copy(update={"lines": [line for line in one.verdict.lines if line.about != "elsewhere"]})
        for one in (with_it, plain)
    ]
    assert own[0] == own[1]


def test_before_the_first_run_has_ended_it_waits() -> None:
    records = measured()
    runs = tuple(replace(run, status="running") for run in records.runs)
    found = told(replace(records, runs=runs))
    assert found.sentence == "What training changes on general is known once runs have finished."
    empty = told(replace(records, runs=(), evaluations=Evaluations.empty()))
    assert empty.sets[0].measures == []


def test_a_study_that_names_no_further_data_set_says_nothing() -> None:
    assert build.build(study(PLANS)).elsewhere is None


def test_without_halves_only_the_last_step_is_known() -> None:
    records = measured()
    table = records.evaluations
    metrics = {name: values for name, values in table.metrics.items() if not name.startswith("validation_")}
    found = told(replace(records, evaluations=replace(table, metrics=metrics)))
    assert [arm.stopped for arm in found.sets[0].measures[0].arms] == [None] * 3
    assert found.sentence.startswith("HiddenKey forgot less")


def test_every_run_diverged() -> None:
    records = measured()
    runs = tuple(replace(run, status="failed", failure_code="loss_nan") for run in records.runs)
    found = told(replace(records, runs=runs))
    assert [arm.last.worst for arm in found.sets[0].measures[0].arms] == [SEEDS] * 3
    assert found.sentence.startswith("On general nothing can be compared yet")


def test_a_shared_study_and_its_file_keep_the_numbers() -> None:
    records = measured()
    kept = load(dump({}, records)).records
    assert told(kept) == told(records)
    head, first, *_ = "".join(lines_of(records)).splitlines()
    assert head.endswith(f"{FURTHER},planned")
    assert float(first.rsplit(",", 2)[1]) == 2.0
