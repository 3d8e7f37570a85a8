"""Whether a classifier's confidence is true: Brier score, expected calibration error, and one temperature.

Shapes: N rows, C classes, R resamples.  Sources: Brier, Mon. Weather Rev. 78, 1950; Guo et al., ICML 2017
(arXiv 1706.04599): expected calibration error over bins of equal width, and temperature scaling.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax, softmax

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

BINS = 15  # Guo et al.
RESAMPLES = 300
_LOG_T = (-4.0, 4.0)  # temperatures from 1/55 to 55: beyond, a model says one thing or nothing


@dataclass(frozen=True)
class Fitted:
    """A temperature that was fitted on other rows than those it is judged on."""

    temperature: float
    loss: float  # nats, after scaling
    loss_before: float
    error: float  # expected calibration error after scaling


def nll(logits: Floats, label: Ints) -> float:
    """Mean negative log-likelihood [nats] of logits [N, C]."""
    return float(-log_softmax(logits, axis=1)[np.arange(len(label)), label].mean())


def brier(logits: Floats, label: Ints) -> float:
    """Mean squared distance of the probabilities to what is right; halved for two classes, as Brier's own."""
    off = softmax(logits, axis=1)
    off[np.arange(len(label)), label] -= 1
    whole = float((off**2).sum(1).mean())
    return whole / 2 if logits.shape[1] == 2 else whole


def calibration_error(logits: Floats, label: Ints, weights: Floats | None = None) -> Floats:
    """Expected calibration error [R], 0 to 1, of each row of `weights` [R, N]; of all rows once where there are none.

    Rows fall into BINS bins of equal width by their confidence; the error is the mean distance between a bin's
    accuracy and its confidence, weighed by its rows.
    """
    chances = softmax(logits, axis=1)
    confidence = chances.max(1)
    right = (logits.argmax(1) == label).astype(np.float64)
    bins = np.minimum((confidence * BINS).astype(np.int64), BINS - 1)
    member = np.zeros((len(label), BINS))
    member[np.arange(len(label)), bins] = right - confidence
    counted = np.ones((1, len(label))) if weights is None else weights
    return np.asarray(np.abs(counted @ member).sum(1) / counted.sum(1), np.float64)


def resamples(rows: int, seed: int = 0, times: int = RESAMPLES) -> Floats:
    """How often each row is drawn in each bootstrap resample [R, N]; the same for all runs of a study."""
    generator = np.random.default_rng(seed)
    return generator.multinomial(rows, np.full(rows, 1 / rows), size=times).astype(np.float64)


def temperature(logits: Floats, label: Ints) -> float:
    """The temperature T > 0 whose logits / T have the lowest mean loss; the loss is convex in 1 / T."""
    found = minimize_scalar(
        lambda log_t: nll(logits / np.exp(log_t), label), bounds=_LOG_T, method="bounded", options={"xatol": 1e-4}
    )
    return float(np.exp(found.x))


def scaled_elsewhere(fit_on: tuple[Floats, Ints], report_on: tuple[Floats, Ints]) -> Fitted:
    """Fit on some rows (logits, label) and report on others."""
    found = temperature(*fit_on)
    logits, label = report_on
    return Fitted(
        found,
        nll(logits / found, label),
        nll(logits, label),
        float(calibration_error(logits / found, label)[0]),
    )


def scaled_crosswise(logits: Floats, label: Ints) -> Fitted | None:
    """Fit on every other row and report on the rest, both ways, averaged; None for fewer than four rows."""
    if len(label) < 4:
        return None
    even, odd = (logits[::2], label[::2]), (logits[1::2], label[1::2])
    one, two = scaled_elsewhere(even, odd), scaled_elsewhere(odd, even)
    n, m = len(odd[1]), len(even[1])

    def mean(a: float, b: float) -> float:
        return (n * a + m * b) / (n + m)

    return Fitted(
        float(np.sqrt(one.temperature * two.temperature)),
        mean(one.loss, two.loss),
        mean(one.loss_before, two.loss_before),
        mean(one.error, two.error),
    )
