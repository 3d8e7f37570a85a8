"""Calibration, agreement, McNemar and crossed components against scikit-learn, SciPy and simulation."""

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import log_softmax, softmax
from scipy.stats import binom
from sklearn.metrics import brier_score_loss, log_loss

from backend.ledger.statistics import agreement, calibration, components

Drawn = tuple[np.ndarray, np.ndarray]


def drawn(rows: int, classes: int, sureness: float = 1.0, seed: int = 0) -> Drawn:
    """Logits [N, C] that are `sureness` times what the classes are really drawn by, and the classes [N]."""
    generator = np.random.default_rng(seed)
    true = generator.normal(0, 1.5, (rows, classes))
    chances = softmax(true, axis=1)
    label = (chances.cumsum(1) < generator.random((rows, 1))).sum(1)
    return true * sureness, label


@pytest.mark.parametrize("classes", [2, 3, 16])
def test_loss_and_brier_are_scikit_learns(classes: int) -> None:
    logits, label = drawn(200, classes)
    chances = softmax(logits, axis=1)
    assert calibration.nll(logits, label) == pytest.approx(log_loss(label, chances, labels=range(classes)))
    expected = brier_score_loss(label, chances[:, 1] if classes == 2 else chances, labels=list(range(classes)))
    assert calibration.brier(logits, label) == pytest.approx(expected)


@pytest.mark.parametrize("classes", [2, 5])
def test_the_calibration_error_is_that_of_a_loop_over_bins(classes: int) -> None:
    logits, label = drawn(300, classes, 2.0)
    chances = softmax(logits, axis=1)
    sure, right = chances.max(1), logits.argmax(1) == label
    expected = 0.0
    for low in range(15):
        inside = (sure >= low / 15) & (sure < (low + 1) / 15)
        if inside.any():
            expected += inside.mean() * abs(right[inside].mean() - sure[inside].mean())
    assert calibration.calibration_error(logits, label)[0] == pytest.approx(expected)
    twice = np.concatenate([np.full(150, 2.0), np.zeros(150)])[None]
    doubled = calibration.calibration_error(np.repeat(logits[:150], 2, 0), np.repeat(label[:150], 2))
    assert calibration.calibration_error(logits, label, twice) == pytest.approx(doubled)


def test_certainty_and_even_odds_have_a_place() -> None:
    logits, label = np.array([[50.0, -50.0], [0.0, 0.0]]), np.array([0, 1])
    assert calibration.calibration_error(logits, label)[0] == pytest.approx(0.25)
    assert np.isfinite(calibration.brier(logits, label))


def test_the_bootstrap_covers_what_more_rows_would_show() -> None:
    """Over 40 draws of 400 rows the spread of the error is that of its resamples, within a third."""
    errors, spreads = [], []
    for seed in range(40):
        logits, label = drawn(400, 3, 3.0, seed)
        errors.append(calibration.calibration_error(logits, label)[0])
        spreads.append(calibration.calibration_error(logits, label, calibration.resamples(400, seed)).std())
    assert np.mean(spreads) == pytest.approx(np.std(errors), rel=0.34)


@pytest.mark.parametrize("sureness", [0.5, 1.0, 4.0])
def test_a_temperature_is_found_again(sureness: float) -> None:
    logits, label = drawn(4000, 4, sureness)
    found = calibration.temperature(logits, label)
    assert found == pytest.approx(sureness, rel=0.1)
    beta = minimize(
        lambda b: -log_softmax(logits * b[0], axis=1)[np.arange(len(label)), label].mean(), [0.5], tol=1e-10
    ).x[0]
    assert found == pytest.approx(1 / beta, rel=1e-3)


def test_a_temperature_is_reported_on_rows_that_it_was_not_fitted_on() -> None:
    logits, label = drawn(1000, 2, 3.0)
    fit, report = (logits[:500], label[:500]), (logits[500:], label[500:])
    found = calibration.scaled_elsewhere(fit, report)
    assert found.temperature == calibration.temperature(*fit)
    assert found.loss == pytest.approx(calibration.nll(report[0] / found.temperature, report[1]))
    assert found.loss < found.loss_before
    crosswise = calibration.scaled_crosswise(logits, label)
    assert crosswise is not None
    assert crosswise.temperature == pytest.approx(3.0, rel=0.2)
    assert crosswise.loss_before == pytest.approx(calibration.nll(logits, label))
    own = calibration.nll(logits / calibration.temperature(logits, label), label)
    assert crosswise.loss > own  # what is fitted on the very rows flatters
    assert calibration.scaled_crosswise(logits[:3], label[:3]) is None


def test_a_model_that_is_always_right_gets_a_bounded_temperature() -> None:
    label = np.array([0, 1] * 10)
    logits = np.where(label[:, None] == np.arange(2), 5.0, -5.0)
    assert 0.01 < calibration.temperature(logits, label) < 0.5
    assert 2 < calibration.temperature(-logits, label) < 100


def test_agreement_and_ensemble() -> None:
    logits, label = drawn(500, 3)
    noise = np.random.default_rng(1).normal(0, 1, (5, 500, 3))
    seeds = logits + noise
    predicted = seeds.argmax(2)
    expected = np.mean([len(set(column)) == 1 for column in predicted.T])
    assert agreement.alike(predicted) == pytest.approx(expected)
    found = agreement.ensemble(seeds, label)
    chances = np.mean([softmax(one, axis=1) for one in seeds], axis=0)
    assert found.loss == pytest.approx(log_loss(label, chances, labels=range(3)))
    assert found.accuracy == pytest.approx((chances.argmax(1) == label).mean())
    assert agreement.ensemble(np.full((2, 1, 2), [800.0, -800.0]), np.array([1])).loss > 100


def test_mcnemar_is_the_exact_binomial_test() -> None:
    generator = np.random.default_rng(3)
    first, second = generator.random(400) < 0.8, generator.random(400) < 0.7
    found = agreement.mcnemar(first, second)
    b, c = (first & ~second).sum(), (~first & second).sum()
    assert (found.only_first, found.only_second) == (b, c)
    tail = min(binom.cdf(min(b, c), b + c, 0.5) * 2, 1.0)
    assert found.p == pytest.approx(tail)
    assert agreement.mcnemar(first, first).p is None


def test_mcnemar_holds_its_level_where_models_are_equally_good() -> None:
    generator = np.random.default_rng(4)
    wrong = 0
    for _ in range(2000):
        shared = generator.random(300)
        first, second = (shared + generator.normal(0, 0.2, 300) > 0.3 for _ in range(2))
        p = agreement.mcnemar(first, second).p
        wrong += p is not None and p < 0.05
    assert 0.01 < wrong / 2000 < 0.06


def test_crossed_components_are_found_again() -> None:
    """Simulated effects of rows, seeds and the rest; their mean squares are unbiased."""
    generator, found = np.random.default_rng(5), []
    for _ in range(400):
        effects = generator.normal(0, 0.3, (1, 60)) + generator.normal(0, 0.1, (6, 1)) + 0.05
        one = components.crossed(effects + generator.normal(0, 0.2, (6, 60)))
        assert one is not None
        found.append(one)
    assert np.sqrt(np.mean([one.row_sd**2 for one in found])) == pytest.approx(0.3, rel=0.03)
    assert np.sqrt(np.mean([one.seed_sd**2 for one in found])) == pytest.approx(0.1, rel=0.06)
    assert np.sqrt(np.mean([one.rest_sd**2 for one in found])) == pytest.approx(0.2, rel=0.02)
    means = np.array([one.mean for one in found])
    assert np.sqrt(np.mean([one.se_both**2 for one in found])) == pytest.approx(means.std(), rel=0.1)


def test_the_error_over_seeds_is_that_of_the_paired_t_test() -> None:
    d = np.random.default_rng(6).normal(0.1, 1, (5, 30))
    found = components.crossed(d)
    assert found is not None
    assert found.se_seeds == pytest.approx(d.mean(1).std(ddof=1) / np.sqrt(5))
    assert found.mean == pytest.approx(d.mean())
    for bad in (d[:1], d[:, :1], np.where(d > 2, np.nan, d) if (d > 2).any() else np.full((2, 2), np.nan)):
        assert components.crossed(bad) is None
