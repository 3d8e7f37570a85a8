"""What several seeds of one arm say of the same rows, together and apart. Shapes: S seeds, N rows, C classes."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax
from scipy.stats import binomtest

from .calibration import Floats, Ints


@dataclass(frozen=True)
class Ensemble:
    """The seeds as one model: their probabilities averaged."""

    loss: float  # nats
    accuracy: float
    right: np.ndarray  # [N] bool


@dataclass(frozen=True)
class Discordant:
    """Rows that one of two models gets right and the other wrong, with McNemar's exact two-sided p."""

    only_first: int
    only_second: int
    p: float | None  # None where no row tells them apart


def alike(predicted: Ints) -> float:
    """Share of rows of which all seeds predict the same; predicted [S, N]."""
    return float((predicted == predicted[0]).all(0).mean())


def ensemble(logits: Floats, label: Ints) -> Ensemble:
    """The mean of the seeds' probabilities; logits [S, N, C]."""
    chances = softmax(logits, axis=2).mean(0)
    told = chances[np.arange(len(label)), label]
    right = chances.argmax(1) == label
    return Ensemble(float(-np.log(np.maximum(told, np.finfo(np.float64).tiny)).mean()), float(right.mean()), right)


def mcnemar(first: np.ndarray, second: np.ndarray) -> Discordant:
    """Compare two models row by row; first, second [N] bool, right or not.

    Source: McNemar, Psychometrika 12, 1947; the exact binomial form, since few rows differ.
    """
    one, two = int((first & ~second).sum()), int((second & ~first).sum())
    p = float(binomtest(one, one + two, 0.5).pvalue) if one + two else None
    return Discordant(one, two, p)
