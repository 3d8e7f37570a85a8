"""Both clocks: every run at its last evaluation, and stopped at its best one without the luck of the choice."""

import json
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from backend.client.tables import comparison_frame
from backend.comparison import build as comparison
from backend.comparison.statistics.clocks import NOWHERE, at, crossfitted, first_best
from backend.comparison.statistics.holm import holm
from backend.comparison.statistics.records import StudyRecords
from backend.reports.methods_text import statistics_text
from backend.reports.table import in_time_table, result_table
from backend.shared.errors import InvalidInput
from tests.backend.make_records import DEMO, Plan, study, with_halves, with_run, without_rows

RECORDS = with_halves(study(DEMO, noise=0.05), noise=0.02)
BUILT = comparison.build(RECORDS)


def history(records: StudyRecords, arm: int, seed: int, metric: str) -> np.ndarray:
    """One run's values in order of step, by scanning the table."""
    table = records.evaluations
    rows = [
        i
        for i in range(len(table.run))
        if records.runs[int(table.run[i])].arm_id == f"arm-{arm}" and records.runs[int(table.run[i])].seed == seed
    ]
    return table.metrics[metric][sorted(rows, key=lambda i: int(table.step[i]))]


def in_time(arm: int, metric: str, records: StudyRecords = RECORDS) -> np.ndarray:
    """Stopped values of five seeds as nobody would compute them in the product."""
    found = []
    for seed in range(5):
        loss = {half: history(records, arm, seed, f"validation_{half}/loss") for half in "ab"}
        told = {half: history(records, arm, seed, metric.replace("validation", f"validation_{half}")) for half in "ab"}
        by_a = told["b"][min(range(8), key=lambda i: loss["a"][i])]
        by_b = told["a"][min(range(8), key=lambda i: loss["b"][i])]
        found.append((by_a + by_b) / 2)
    return np.array(found)


def last(arm: int, metric: str) -> np.ndarray:
    return np.array([history(RECORDS, arm, seed, metric)[-1] for seed in range(5)])


def test_the_first_of_equal_ones_is_the_best() -> None:
    values = np.array([[3.0, 1.0, 1.0], [np.nan, 2.0, np.inf], [np.nan, np.nan, np.nan], [2.0, 3.0, 3.0]])
    assert first_best(values).tolist() == [1, 1, NOWHERE, 0]
    assert first_best(values, higher=True).tolist() == [0, 1, NOWHERE, 1]
    assert first_best(np.empty((2, 0))).tolist() == [NOWHERE, NOWHERE]
    assert at(values, np.array([0, 1, NOWHERE, 2])) == pytest.approx([3.0, 2.0, np.nan, 3.0], nan_ok=True)


def test_a_minimum_picked_on_its_own_rows_flatters_and_a_crossfitted_one_does_not() -> None:
    """40,000 flat curves of ten looks whose every look is worth 0: the picked minimum says −1.1, the halves 0."""
    rng = np.random.default_rng(3)
    a, b = rng.normal(0, 1, (2, 40_000, 10))
    whole = (a + b) / 2
    honest = crossfitted(a, b, first_best(a), first_best(b))
    assert at(whole, first_best(whole)).mean() < -1.0
    assert abs(honest.mean()) < 4 * honest.std() / 200


@pytest.mark.parametrize("metric", ["validation/loss", "validation/accuracy"])
def test_stopped_values_and_their_intervals(metric: str) -> None:
    for i, arm in enumerate(BUILT.arms):
        values = in_time(i, metric)
        assert arm.stopped is not None
        found = arm.stopped.final[metric]
        low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
        assert [seed.value for seed in found.seeds] == pytest.approx(values)
        assert (found.n, found.mean, found.lo, found.hi) == pytest.approx((5, values.mean(), low, high))


@pytest.mark.parametrize("metric", ["validation/loss", "validation/accuracy"])
def test_differences_at_both_clocks_are_families_of_their_own(metric: str) -> None:
    base = in_time(0, metric)
    for field, mine in (("differences", in_time), ("last_against_stopped", last)):
        raw = [float(stats.ttest_rel(mine(i, metric), base).pvalue) for i in range(1, 8)]
        for i, arm in enumerate(BUILT.arms[1:], start=1):
            found = getattr(arm.stopped, field)[metric]
            low, high = stats.ttest_rel(mine(i, metric), base).confidence_interval(0.95)
            assert (found.mean, found.lo, found.hi) == pytest.approx(((mine(i, metric) - base).mean(), low, high))
            assert found.p_t == pytest.approx(raw[i - 1])
            assert found.p_holm == pytest.approx(holm(raw)[i - 1])


def test_going_on_is_one_test_of_the_baseline() -> None:
    stopped = BUILT.arms[0].stopped
    assert stopped is not None
    assert stopped.differences == {}
    found = stopped.last_against_stopped["validation/loss"]
    expected = stats.ttest_rel(last(0, "validation/loss"), in_time(0, "validation/loss"))
    assert found.p_holm == found.p_t == pytest.approx(expected.pvalue)
    assert found.decided == "higher"
    assert found.meaning.startswith("Validation loss at the last step higher by")
    assert "than that of No dropout stopped in time" in found.meaning


def test_the_clock_orders_ranking_places_and_matrix() -> None:
    built = comparison.build(RECORDS, clock="stopped")
    means = {arm.id: arm.stopped.final["validation/loss"].mean for arm in built.arms if arm.stopped}
    assert built.ranking == sorted(means, key=lambda one: means[one])
    assert built.ranking != BUILT.ranking
    assert [arm.place for arm in built.arms] == [built.ranking.index(arm.id) + 1 for arm in built.arms]
    assert built.pairwise is not None
    assert built.pairwise.clock == "stopped"
    first, second = (int(one.removeprefix("arm-")) for one in built.pairwise.arm_ids[:2])
    expected = (in_time(first, "validation/loss") - in_time(second, "validation/loss")).mean()
    assert built.pairwise.mean[0][1] == pytest.approx(expected)
    assert (built.clock, built.clocks, built.clock_note) == ("stopped", ["last", "stopped"], None)


def test_the_gap_of_a_stopped_run_is_read_where_each_half_chose() -> None:
    stopped = BUILT.arms[0].stopped
    assert stopped is not None
    for seed in range(5):
        probe = history(RECORDS, 0, seed, "probe/loss")
        a, b = (history(RECORDS, 0, seed, f"validation_{half}/loss") for half in "ab")
        expected = (b[a.argmin()] - probe[a.argmin()] + a[b.argmin()] - probe[b.argmin()]) / 2
        assert stopped.final["gap"].seeds[seed].value == pytest.approx(expected)


def test_steps_are_those_of_the_best_evaluation() -> None:
    stopped = BUILT.arms[0].stopped
    assert stopped is not None
    steps = [16 * (1 + int(history(RECORDS, 0, seed, "validation/loss").argmin())) for seed in range(5)]
    step = stopped.step
    assert (step.n, step.median, step.first, step.last) == (5, np.median(steps), min(steps), max(steps))


def test_test_rows_are_told_as_they_were_measured_with_the_kept_adapter() -> None:
    table = RECORDS.evaluations
    end = table.step == table.step.max()
    more = {"test/loss": np.where(end, 0.7, np.nan), "test_stopped/loss": np.where(end, 0.5 + 0.01 * table.run, np.nan)}
    more["stopped_step"] = np.where(end, 48.0, np.nan)
    records = replace(RECORDS, evaluations=replace(table, metrics={**table.metrics, **more}))
    stopped = comparison.build(records).arms[0].stopped
    assert stopped is not None
    assert [seed.value for seed in stopped.final["test/loss"].seeds] == pytest.approx(
        [0.5 + 0.08 * i for i in range(5)]
    )
    assert (stopped.step.median, stopped.step.first, stopped.step.last) == (48, 48, 48)


def test_a_run_kept_by_its_score_is_stopped_where_that_is_best() -> None:
    arms = tuple(
        replace(arm, spec={**arm.spec, "training": {**arm.spec["training"], "keep_by": "score"}})
        for arm in RECORDS.arms
    )
    stopped = comparison.build(replace(RECORDS, arms=arms)).arms[0].stopped
    assert stopped is not None
    assert stopped.kept_by == "score"
    for seed in range(5):
        a, b = (history(RECORDS, 0, seed, f"validation_{half}/accuracy") for half in "ab")
        expected = (b[a.argmax()] + a[b.argmax()]) / 2
        assert stopped.final["validation/accuracy"].seeds[seed].value == pytest.approx(expected)


def test_an_older_study_has_one_clock_and_says_why() -> None:
    built = comparison.build(study(DEMO))
    assert built.clocks == ["last"]
    assert built.clock_note is not None
    assert "recorded no halves" in built.clock_note
    assert all(arm.stopped is None for arm in built.arms)
    with pytest.raises(InvalidInput, match="recorded no halves") as found:
        comparison.build(study(DEMO), clock="stopped")
    assert found.value.problems[0].pointer == "/clock"


def test_what_was_measured_at_the_end_only_is_ranked_at_the_end_only() -> None:
    table = RECORDS.evaluations
    bleu = np.where(table.step == table.step.max(), 20.0, np.nan)
    records = replace(RECORDS, evaluations=replace(table, metrics={**table.metrics, "validation/bleu": bleu}))
    assert comparison.build(records, metric="validation/bleu").metric == "validation/bleu"
    with pytest.raises(InvalidInput, match="BLEU is known of a run's last step only") as found:
        comparison.build(records, metric="validation/bleu", clock="stopped")
    assert found.value.problems[0].pointer == "/metric"


def test_a_study_without_a_finished_run_can_be_asked_at_either_clock() -> None:
    records = study([Plan("none"), Plan("dropkey")], seeds=1)
    records = without_rows(records, np.ones(len(records.evaluations.run), bool))
    for index in range(2):
        records = with_run(records, index, status="running")
    built = comparison.build(records, clock="stopped")
    assert (built.clock, built.clocks, built.clock_note) == ("stopped", ["last"], None)


def test_only_finished_runs_have_a_stopped_value() -> None:
    records = with_run(RECORDS, 0, status="failed", failure_code="loss_nan", message="No number.")
    stopped = comparison.build(records).arms[0].stopped
    assert stopped is not None
    assert [seed.seed for seed in stopped.final["validation/loss"].seeds] == [1, 2, 3, 4]
    assert stopped.step.n == 4


def test_a_run_that_stopped_early_is_judged_where_it_stopped() -> None:
    """Two of five baseline runs end at step 64 of 128; every seed still has its last value, and its pair."""
    records = with_halves(study([Plan("none"), Plan("dropkey", rise=0.2)]))
    arms = tuple(
        replace(arm, spec={**arm.spec, "training": {**arm.spec["training"], "patience": 2}}) for arm in records.arms
    )
    table, early = records.evaluations, [0, 2]
    cut = without_rows(replace(records, arms=arms), np.isin(table.run, early) & (table.step > 64))
    for index in early:
        cut = with_run(cut, index, step=64)
    built = comparison.build(cut)
    base, other = built.arms
    assert base.counts.excluded == 0
    ends = [history(cut, 0, seed, "validation/loss")[-1] for seed in range(5)]
    assert [seed.value for seed in base.final["validation/loss"].seeds] == pytest.approx(ends)
    pairs = [history(cut, 1, seed, "validation/loss")[-1] - ends[seed] for seed in range(5)]
    assert [pair.value for pair in other.differences["validation/loss"].pairs] == pytest.approx(pairs)
    assert built.pairwise is not None
    assert built.pairwise.n[0][1] == 5
    stopped = base.stopped
    assert stopped is not None
    assert stopped.final["validation/loss"].n == 5


def test_tables_carry_both_clocks() -> None:
    """The report's table and that of the client, from the same numbers; neither has them of an older study."""
    table, frame = in_time_table(BUILT, 3), comparison_frame(json.loads(BUILT.model_dump_json()))
    assert table is not None
    assert [row[0] for row in table.rows] == [row[0] for row in result_table(BUILT, 3).rows]
    place = table.columns.index("Stopped at step")
    assert table.columns[place + 1 : place + 3] == ("Loss stopped in time", "Difference, both stopped")
    for arm_id, row in zip(BUILT.ranking, table.rows, strict=True):
        stopped = next(arm.stopped for arm in BUILT.arms if arm.id == arm_id)
        assert stopped is not None
        assert row[place].startswith(f"{stopped.step.median:.0f}")
        assert row[place + 1].startswith(f"{stopped.final['validation/loss'].mean:.3f}")
        assert frame.loc[arm_id, "stopped validation/loss"] == stopped.final["validation/loss"].mean
        rival = stopped.last_against_stopped["validation/loss"]
        assert row[place + 4].startswith(f"{rival.mean:+.3f}".replace("-", "−"))
        assert frame.loc[arm_id, "validation/loss last − baseline stopped"] == rival.mean
        assert frame.loc[arm_id, "validation/loss last − baseline stopped p (Holm)"] == rival.p_holm
    older = comparison.build(study(DEMO))
    assert in_time_table(older) is None
    assert not [name for name in comparison_frame(json.loads(older.model_dump_json())) if "stopped" in name]


def test_the_report_says_what_the_clocks_are() -> None:
    said = statistics_text(RECORDS, BUILT)
    assert said.startswith("Runs are compared at their last evaluation, and stopped at their best one")
    assert "interval crosses seeds with halves" in said
    older = study(DEMO)
    assert statistics_text(older, comparison.build(older)).startswith("The last evaluation is compared;")


def test_scores_of_generated_texts_are_said_to_speak_of_their_prompts() -> None:
    """B20: BLEU on sixteen prompts has no standard error over prompts."""
    table = RECORDS.evaluations
    bleu = np.where(table.step == table.step.max(), 20.0, np.nan)
    records = replace(RECORDS, evaluations=replace(table, metrics={**table.metrics, "validation/bleu": bleu}))
    assert "no standard error over prompts" in " ".join(comparison.build(records).notes)
    assert "prompts" not in " ".join(BUILT.notes)
