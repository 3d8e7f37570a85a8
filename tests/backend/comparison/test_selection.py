"""A setting is chosen on validation rows and reported on test rows, never on the same."""

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from scipy import stats

from backend.comparison import build as comparison
from backend.comparison.statistics.best_of import crossfitted, expected_best
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import Plan, study, with_halves

PLANS = [
    Plan("none", rise=0.4),
    Plan("hiddencut", "hiddencut 0.05", rise=0.35, rate=0.05),
    Plan("hiddencut", "hiddencut 0.2", rise=0.1, rate=0.2),
    Plan("dropkey", rise=0.3),
]
# On test rows the rate that validation does not choose would win.
TEST = np.array([0.9, 0.2, 0.8, 0.7])


def tuned(seeds: int = 5) -> StudyRecords:
    records = study(PLANS, seeds=seeds, noise=0.005)
    table = records.evaluations
    arms = np.array([int(run.arm_id.removeprefix("arm-")) for run in records.runs])[table.run]
    last = table.step == table.step.max()
    noise = np.random.default_rng(3).normal(0, 0.01, len(arms))
    test = np.where(last, TEST[arms] + noise, np.nan)
    metrics = {**table.metrics, "test/loss": test, "test/accuracy": np.where(last, 1 - test / 2, np.nan)}
    return replace(records, evaluations=replace(table, metrics=metrics))


def _test_values(records: StudyRecords, arm: int) -> np.ndarray:
    table = records.evaluations
    rows = [i for i, run in enumerate(table.run) if records.runs[run].arm_id == f"arm-{arm}"]
    values = table.metrics["test/loss"][rows]
    return values[np.isfinite(values)]


def test_the_choice_does_not_look_at_test_rows() -> None:
    records = tuned()
    found = comparison.build(records).selection
    assert found is not None
    assert (found.chosen_by, found.reported) == ("validation/loss", "test/loss")
    chosen = {method.method_title: method for method in found.methods}
    assert len(found.methods) == 3
    cut = next(method for method in found.methods if method.candidates == 2)
    assert cut.arm_id == "arm-2"  # the lower validation loss, although arm-1 has the lower test loss
    assert cut.test.mean == pytest.approx(_test_values(records, 2).mean())
    assert sum(method.is_baseline for method in chosen.values()) == 1
    assert "chosen by its mean validation loss" in found.sentence


def test_differences_are_paired_on_test_rows_and_corrected_over_methods() -> None:
    records = tuned()
    found = comparison.build(records).selection
    assert found is not None
    p = []
    for method in found.methods:
        if method.is_baseline:
            assert method.difference is None
            continue
        arm = int(method.arm_id.removeprefix("arm-"))
        expected = stats.ttest_rel(_test_values(records, arm), _test_values(records, 0))
        assert method.difference is not None
        assert method.difference.metric == "test/loss"
        assert method.difference.p_t == pytest.approx(expected.pvalue)
        p.append((expected.pvalue, method.difference.p_holm))
    p.sort()
    assert p[0][1] == pytest.approx(2 * p[0][0])  # two methods beside the baseline, not three arms


def test_it_follows_the_score_asked_for() -> None:
    found = comparison.build(tuned(), metric="validation/accuracy").selection
    assert found is not None
    assert (found.chosen_by, found.reported) == ("validation/accuracy", "test/accuracy")


def test_a_study_without_test_rows_has_no_selection() -> None:
    assert comparison.build(study(PLANS)).selection is None


def test_seeds_that_a_candidate_lacks_do_not_count() -> None:
    """The worse rate has not finished the one bad seed: both are judged on the seeds that both have finished."""
    records = tuned()
    table = records.evaluations
    bad = np.array([run.seed == 4 for run in records.runs])[table.run]
    losses = table.metrics["validation/loss"] + np.where(bad, 5.0, 0.0)
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, "validation/loss": losses}))
    runs = [replace(r, status="running") if (r.arm_id, r.seed) == ("arm-1", 4) else r for r in records.runs]
    found = comparison.build(replace(records, runs=tuple(runs))).selection
    assert found is not None
    cut = next(method for method in found.methods if method.candidates == 2)
    assert cut.arm_id == "arm-2"  # over its own five seeds it lies a whole unit above the other's four
    assert cut.validation.n == 5
    assert cut.validation.mean is not None
    assert cut.validation.mean > 1.0


HIDDEN: dict[str, object] = {
    "position": "hidden",
    "structure": "column",
    "rescale": "inverted",
    "layers": [0, 1, 2, 3],
    "rate": 0.1,
}
OTHERS: list[dict[str, object]] = [
    {"place": "ffn_inner"},
    {"axis": "feature"},
    {"window": 3},
    {"layers": [2, 3]},
    {"keep_first": True},
    {"structure": "span", "span_length": "stochastic"},
]


def _composed(*sites: dict[str, object]) -> StudyRecords:
    plans = [Plan("none"), *(Plan("composed", f"arm {i}", 0.1 * i, site=site) for i, site in enumerate(sites))]
    records = study(plans, seeds=3)
    table = records.evaluations
    test = np.where(table.step == table.step.max(), 0.5, np.nan)
    return replace(records, evaluations=replace(table, metrics={**table.metrics, "test/loss": test}))


@pytest.mark.parametrize("other", OTHERS, ids=lambda other: ", ".join(other))
def test_composed_arms_that_drop_elsewhere_are_methods_apart(other: dict[str, object]) -> None:
    found = comparison.build(_composed(HIDDEN, HIDDEN | other)).selection
    assert found is not None
    assert [method.candidates for method in found.methods] == [1, 1, 1]


@pytest.mark.parametrize("rate", [0.2, {"per_layer": [0.0, 0.1, 0.1, 0.2]}, {"first": 0.2, "last": 0.1}])
def test_composed_arms_that_differ_in_their_rate_are_one_method(rate: object) -> None:
    found = comparison.build(_composed(HIDDEN, HIDDEN | {"rate": rate})).selection
    assert found is not None
    assert sorted(method.candidates for method in found.methods) == [1, 2]


def test_a_comparison_says_what_tells_its_sites_apart() -> None:
    built = comparison.build(_composed(HIDDEN | {"place": "ffn_inner", "rate": {"first": 0.2, "last": 0.1}}))
    assert built.arms[1].sites[0].options == {
        "place": "ffn_inner",
        "layers": [0, 1, 2, 3],
        "rate": {"first": 0.2, "last": 0.1},
    }


def test_stopped_in_time_choice_and_report_are_those_of_the_kept_adapters() -> None:
    """The rate that is best at the end is not the one that is best when each is stopped."""
    records = with_halves(tuned(), noise=0.002)
    table = records.evaluations
    arm = np.array([int(run.arm_id.removeprefix("arm-")) for run in records.runs])[table.run]
    dip = np.where((arm == 1) & (table.step == 48), 0.3, 0.0)
    halves = {name: table.metrics[name] - dip for name in ("validation_a/loss", "validation_b/loss")}
    last = table.step == table.step.max()
    kept = {"test_stopped/loss": np.where(last, 0.6 + 0.01 * np.sin(table.run), np.nan)}
    records = replace(records, evaluations=replace(table, metrics={**table.metrics, **halves, **kept}))
    at_the_end, in_time = (comparison.build(records, clock=clock).selection for clock in ("last", "stopped"))
    assert at_the_end is not None
    assert in_time is not None
    assert [one.arm_id for one in at_the_end.methods if one.candidates == 2] == ["arm-2"]
    (cut,) = [one for one in in_time.methods if one.candidates == 2]
    assert cut.arm_id == "arm-1"
    told = [0.6 + 0.01 * np.sin(4 * seed + 1) for seed in range(5)]
    assert [seed.value for seed in cut.test.seeds] == pytest.approx(told)
    assert "stopped at its best evaluation" in in_time.sentence
    assert "stopped" not in at_the_end.sentence


def test_no_seed_reports_its_own_choice() -> None:
    """Two settings of pure luck: chosen by the seeds that report, the better half is picked; cross-fitted it is not."""
    rng = np.random.default_rng(5)
    picked, honest = [], []
    for _ in range(300):
        luck = rng.standard_normal((4, 5))  # validation and test rows share the seed's luck
        picked.append(luck[np.argmin(luck.mean(axis=1))].mean())
        honest.append(crossfitted(luck, luck).mean())
    assert np.mean(picked) < -0.35
    assert np.mean(honest) > -0.05


def test_cross_fitting_leaves_the_reporting_seed_out() -> None:
    choose = np.array([[0.0, 0.0, 9.0], [1.0, 1.0, 1.0]])  # without its last seed the first setting is the better one
    report = np.array([[10.0, 11.0, 12.0], [20.0, 21.0, 22.0]])
    assert crossfitted(choose, report).tolist() == [20.0, 21.0, 12.0]
    assert crossfitted(-choose, report, higher=True).tolist() == [20.0, 21.0, 12.0]
    assert crossfitted(choose[:1], report[:1]).tolist() == [10.0, 11.0, 12.0]
    assert np.isnan(crossfitted(choose[:, :1], report[:, :1])).all()


@pytest.mark.parametrize("higher", [False, True])
def test_expected_best_equals_the_mean_over_all_draws(higher: bool) -> None:
    choose, report = np.array([0.4, 0.1, 0.3, 0.2]), np.array([1.0, 5.0, 2.0, 7.0])
    ways = expected_best(choose, report, higher=higher)
    best = max if higher else min
    for k in range(1, 5):
        drawn = [best(draw, key=choose.__getitem__) for draw in product(range(4), repeat=k)]
        assert ways[0][k - 1] == pytest.approx(np.mean(choose[drawn]))
        assert ways[1][k - 1] == pytest.approx(np.mean(report[drawn]))


def test_a_method_at_its_best_is_told_cross_fitted_and_by_tries() -> None:
    records = tuned()
    found = comparison.build(records).selection
    assert found is not None
    assert not found.fair
    assert (
        "The methods had 1 to 2 settings: more tries find better ones, so compare what 1 try finds." in found.sentence
    )
    cut = next(method for method in found.methods if method.candidates == 2)
    assert cut.crossfitted.value.n == 5
    assert cut.crossfitted.value.mean == pytest.approx(cut.test.mean)  # every seed's others choose the same setting
    expected = stats.ttest_rel(_test_values(records, 2), _test_values(records, 0))
    assert cut.crossfitted.p_t == pytest.approx(expected.pvalue)
    assert cut.best_of is not None
    one, two = cut.best_of.test
    low, high = _test_values(records, 1).mean(), _test_values(records, 2).mean()
    assert one == pytest.approx((low + high) / 2)
    assert two == pytest.approx(0.25 * low + 0.75 * high)  # the one that validation prefers, unless it is never drawn
    base = next(method for method in found.methods if method.is_baseline)
    assert (base.crossfitted.mean, base.crossfitted.p_holm) == (None, None)
    assert found.best_arm_id == "arm-3"
