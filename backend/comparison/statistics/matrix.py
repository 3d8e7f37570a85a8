"""Every arm against every arm: the paired t test for all pairs at once, Holm over all of them."""

from dataclasses import dataclass

import numpy as np
from scipy import special

from .holm import holm
from .intervals import INTERVAL_FROM, t_quantile
from .records import Floats, Ints


@dataclass(frozen=True)
class Matrix:
    """Entry [i, j] is arm i − arm j over the seeds both have; NaN where it does not exist."""

    n: Ints
    mean: Floats
    half_width: Floats
    p_t: Floats
    p_holm: Floats


def pairwise(values: Floats) -> Matrix:
    """Return all paired comparisons of `values`, float64 [arms, seeds], NaN where an arm has no value for a seed."""
    with np.errstate(over="ignore"):
        differences = values[:, None, :] - values[None, :, :]  # [A, A, seeds]
    known = np.isfinite(differences)
    n = known.sum(axis=2)
    with np.errstate(invalid="ignore", divide="ignore", over="ignore"):
        mean = np.where(n > 0, np.where(known, differences, 0.0).sum(axis=2) / n, np.nan)
        squares = np.where(known, differences - mean[:, :, None], 0.0) ** 2
        sd = np.where(n > 1, np.sqrt(squares.sum(axis=2) / (n - 1)), np.nan)
        df = np.maximum(n - 1, 1).astype(float)
        half_width = np.where(n >= INTERVAL_FROM, t_quantile(df) * sd / np.sqrt(n), np.nan)
        scale = np.abs(np.where(known, differences, 0.0)).max(axis=2, initial=0.0)
        varies = sd > 1e-12 * scale
        p = np.where(varies, 2.0 * special.stdtr(df, -np.abs(mean) / sd * np.sqrt(n)), np.nan)
    upper = np.triu_indices(len(values), 1)
    family = holm([None if np.isnan(value) else float(value) for value in p[upper]])
    p_holm = np.full(p.shape, np.nan)
    p_holm[upper] = [np.nan if value is None else value for value in family]
    p_holm.T[upper] = p_holm[upper]
    return Matrix(n, mean, half_width, p, p_holm)
