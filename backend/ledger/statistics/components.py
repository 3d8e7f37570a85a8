"""How much of a difference is the luck of seeds, and how much that of rows: crossed random effects.

Each of S seeds judged the same N rows under both arms; d[s, n] is the difference of losses. With a row effect, a seed
effect and the rest, mean squares give the three variances, and the standard error of the mean difference for new seeds
on these rows, and for new seeds on new rows. Source: Cornfield and Tukey, Ann. Math. Stat. 27, 1956.
"""

from dataclasses import dataclass

import numpy as np

from .calibration import Floats


@dataclass(frozen=True)
class Components:
    """Standard deviations of the effects, and of the mean difference; an effect measured below zero is zero."""

    mean: float
    seed_sd: float
    row_sd: float
    rest_sd: float
    se_seeds: float  # other seeds, these rows
    se_both: float  # other seeds, other rows


def crossed(differences: Floats) -> Components | None:
    """Components of d [S, N]; None for fewer than two seeds or rows, or where a value is not finite."""
    seeds, rows = differences.shape
    if seeds < 2 or rows < 2 or not np.isfinite(differences).all():
        return None
    mean = differences.mean()
    by_seed, by_row = differences.mean(1), differences.mean(0)
    square_seed = rows * ((by_seed - mean) ** 2).sum() / (seeds - 1)
    square_row = seeds * ((by_row - mean) ** 2).sum() / (rows - 1)
    rest = differences - by_seed[:, None] - by_row[None, :] + mean
    square_rest = (rest**2).sum() / ((seeds - 1) * (rows - 1))
    seed, row = max(square_seed - square_rest, 0.0) / rows, max(square_row - square_rest, 0.0) / seeds
    return Components(
        mean=float(mean),
        seed_sd=float(np.sqrt(seed)),
        row_sd=float(np.sqrt(row)),
        rest_sd=float(np.sqrt(square_rest)),
        se_seeds=float(np.sqrt(square_seed / (rows * seeds))),
        se_both=float(np.sqrt(seed / seeds + row / rows + square_rest / (rows * seeds))),
    )
