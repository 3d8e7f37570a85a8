"""The comparison's numbers against an independent computation with SciPy and NumPy from the same evaluations."""

import json
import time

import numpy as np
import pytest
from scipy import stats

from backend.comparison import build as comparison
from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import StudyRecords
from tests.backend.make_records import DEMO, Plan, study

RECORDS = study(DEMO, noise=0.05)
BUILT = comparison.build(RECORDS)


def value(records: StudyRecords, arm: int, seed: int, metric: str, step: int) -> float:
    """Look one number up by scanning the table, as nobody would in the product."""
    table = records.evaluations
    for row in range(len(table.run)):
        run = records.runs[int(table.run[row])]
        if run.arm_id == f"arm-{arm}" and run.seed == seed and table.step[row] == step:
            return float(table.metrics[metric][row])
    raise LookupError((arm, seed, step))


def finals(arm: int, quantity: str) -> np.ndarray:
    def one(seed: int) -> float:
        if quantity == "gap":
            return value(RECORDS, arm, seed, "validation/loss", 128) - value(RECORDS, arm, seed, "probe/loss", 128)
        if quantity == "train_inference_gap":
            on = value(RECORDS, arm, seed, "probe/slice_loss_on", 128)
            return on - value(RECORDS, arm, seed, "probe/slice_loss_off", 128)
        return value(RECORDS, arm, seed, quantity, 128)

    return np.array([one(seed) for seed in range(5)])


@pytest.mark.parametrize("quantity", ["validation/loss", "gap", "validation/accuracy", "train_inference_gap"])
def test_final_values_and_intervals(quantity: str) -> None:
    for i, arm in enumerate(BUILT.arms):
        values = finals(i, quantity)
        low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
        found = arm.final[quantity]
        assert found.n == 5
        assert [seed.value for seed in found.seeds] == pytest.approx(values)
        assert (found.mean, found.lo, found.hi) == pytest.approx((values.mean(), low, high))
        assert found.sd == pytest.approx(values.std(ddof=1))


@pytest.mark.parametrize("quantity", ["validation/loss", "gap", "validation/accuracy"])
def test_differences_to_the_baseline(quantity: str) -> None:
    base = finals(0, quantity)
    assert BUILT.arms[0].is_baseline
    assert BUILT.arms[0].differences == {}
    raw = []
    for i, arm in enumerate(BUILT.arms[1:], start=1):
        mine, found = finals(i, quantity), arm.differences[quantity]
        expected = stats.ttest_rel(mine, base)
        low, high = expected.confidence_interval(0.95)
        assert (found.mean, found.lo, found.hi) == pytest.approx(((mine - base).mean(), low, high))
        assert found.p_t == pytest.approx(expected.pvalue)
        flips = stats.permutation_test(
            (mine - base,), lambda x, axis: x.mean(axis=axis), permutation_type="samples", n_resamples=np.inf
        )
        assert found.p_sign_flip == pytest.approx(flips.pvalue)
        assert (found.sign_flip, found.smallest_p) == ("exact", 2 / 2**5)
        assert found.seed_correlation == pytest.approx(stats.pearsonr(mine, base).statistic)
        assert [pair.value for pair in found.pairs] == pytest.approx(mine - base)
        assert found.interval_spans_zero == (low <= 0 <= high)
        raw.append(float(expected.pvalue))
    order = np.argsort(raw)
    adjusted, largest = np.empty(7), 0.0
    for place, i in enumerate(order):
        largest = max(largest, min(1.0, (7 - place) * raw[i]))
        adjusted[i] = largest
    assert [arm.differences[quantity].p_holm for arm in BUILT.arms[1:]] == pytest.approx(list(adjusted))


def test_curves_hold_mean_band_and_every_seed_at_each_step() -> None:
    curve = BUILT.arms[3].curve
    assert curve is not None
    assert curve.step == [16, 32, 48, 64, 80, 96, 112, 128]
    for at, step in enumerate(curve.step):
        values = np.array([value(RECORDS, 3, seed, "validation/loss", step) for seed in range(5)])
        series = curve.series["validation/loss"]
        low, high = stats.t.interval(0.95, 4, loc=values.mean(), scale=stats.sem(values))
        assert series.n[at] == 5
        assert (series.mean[at], series.lo[at], series.hi[at]) == pytest.approx((values.mean(), low, high))
        assert (series.min[at], series.max[at]) == (values.min(), values.max())
        assert [row[at] for row in series.values] == pytest.approx(values)


@pytest.mark.parametrize("band", ["sd", "minmax", "seeds"])
def test_bands(band: str) -> None:
    curve = comparison.build(RECORDS, band=band).arms[1].curve
    assert curve is not None
    series = curve.series["gap"]
    rows = np.array(series.values, float)
    expected = {
        "sd": (rows.mean(0) - rows.std(0, ddof=1), rows.mean(0) + rows.std(0, ddof=1)),
        "minmax": (rows.min(0), rows.max(0)),
    }
    if band == "seeds":
        assert series.lo == series.hi == [None] * 8
    else:
        np.testing.assert_allclose(np.array(series.lo, float), expected[band][0])
        np.testing.assert_allclose(np.array(series.hi, float), expected[band][1])


def test_x_axes() -> None:
    first = {x: comparison.build(RECORDS, x=x).arms[0].curve for x in ("step", "epoch", "tokens", "seconds")}
    assert first["step"].x[0] == 16.0
    assert first["epoch"].x[0] == 1.0
    assert first["tokens"].x[0] == 16 * 200.0 + 2.0  # the mean over seeds 0 to 4
    assert first["seconds"].x[0] == pytest.approx(0.8)


def test_an_older_arm_overfits_from_the_median_of_its_runs_steps() -> None:
    for arm in BUILT.arms:
        found = arm.overfitting
        steps = [run.step for run in found.runs if run.step is not None]
        assert (found.k, found.n) == (len(steps), 5)
        assert found.step == (pytest.approx(np.median(steps)) if steps else None)
        assert found.x == found.step
    assert BUILT.arms[0].overfitting.k >= 4
    assert BUILT.arms[0].overfitting.step == 48


def test_best_validation_is_each_runs_own_minimum() -> None:
    lowest = [min(value(RECORDS, 2, seed, "validation/loss", step) for step in range(16, 129, 16)) for seed in range(5)]
    assert BUILT.arms[2].best_validation.mean == pytest.approx(np.mean(lowest))


def test_ranking_is_by_the_mean_difference() -> None:
    means = {arm.id: finals(i, "validation/loss").mean() for i, arm in enumerate(BUILT.arms)}
    assert BUILT.ranking == sorted(means, key=means.__getitem__)
    by_accuracy = comparison.build(RECORDS, metric="validation/accuracy")
    accuracies = {arm.id: -finals(i, "validation/accuracy").mean() for i, arm in enumerate(BUILT.arms)}
    assert by_accuracy.ranking == sorted(accuracies, key=accuracies.__getitem__)


def test_matrix_agrees_with_the_differences() -> None:
    pairs = BUILT.pairwise
    assert pairs is not None
    base = pairs.arm_ids.index("arm-0")
    for arm in BUILT.arms[1:]:
        i = pairs.arm_ids.index(arm.id)
        found = arm.differences["validation/loss"]
        assert (pairs.mean[i][base], pairs.lo[i][base]) == pytest.approx((found.mean, found.lo))
        assert pairs.p_t[i][base] == pytest.approx(found.p_t)


def test_cost_stands_beside_the_baseline() -> None:
    cost = BUILT.arms[7].compute
    assert cost.seconds == pytest.approx(17.0)  # 15 + the mean of 0 to 4
    assert cost.flops_factor == pytest.approx(1.5)
    assert cost.seconds_factor == pytest.approx(17.0 / 12.0)


def test_another_baseline_turns_the_sign() -> None:
    turned = comparison.build(RECORDS, baseline="arm-7")
    mine, theirs = turned.arms[0].differences["gap"], BUILT.arms[7].differences["gap"]
    assert mine.mean == pytest.approx(-theirs.mean)
    assert (mine.decided, theirs.decided) == ("higher", "lower")
    assert turned.baseline_arm_id == "arm-7"


def test_json_has_no_nan_and_comes_back_equal() -> None:
    text = BUILT.model_dump_json()
    json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} in the JSON"))
    assert Comparison.model_validate_json(text) == BUILT
    short = BUILT.without_curves()
    assert all(arm.curve is None for arm in short.arms)
    assert len(short.model_dump_json()) < len(text) / 2
    assert BUILT.arms[0].curve is not None


def test_forty_arms_in_a_second() -> None:
    """Processor time, so that a busy machine does not fail it."""
    plans = [Plan("none"), *(Plan("hiddenkey", f"HiddenKey {i}", 0.2 + i / 100) for i in range(39))]
    records = study(plans, evaluations=50)
    started = time.process_time()
    built = comparison.build(records)
    built.model_dump_json()
    assert time.process_time() - started < 1.0
    assert len(built.arms) == 40
