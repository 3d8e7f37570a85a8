"""What a run is worth had it been stopped at its best evaluation, without the luck of having picked that one.

A minimum picked on the rows that report it flatters. So the validation rows are two fixed halves: the evaluation is
chosen on one half and reported on the other, both ways, and the two are averaged (cross-fitting: Chernozhukov et al.
2018, The Econometrics Journal 21, §3). What only one half of the rows says of where to stop is a little worse than what
all of them say, so the value errs, where it errs, against stopping.
"""

import numpy as np

from .records import Floats, Ints

NOWHERE = -1


def first_best(values: Floats, *, higher: bool = False) -> Ints:
    """Return the column of the best finite entry of each row of `values` [R, S], the first of equal ones; NOWHERE
    where a row has none.
    """
    if values.shape[1] == 0:
        return np.full(len(values), NOWHERE)
    worst = -np.inf if higher else np.inf
    filled = np.where(np.isfinite(values), values, worst)
    place = filled.argmax(axis=1) if higher else filled.argmin(axis=1)
    return np.where(np.isfinite(values).any(axis=1), place, NOWHERE).astype(np.int64)


def at(values: Floats, place: Ints) -> Floats:
    """Return of each row of `values` [R, S] the entry at `place` [R]; NaN where that is NOWHERE."""
    if values.shape[1] == 0:
        return np.full(len(values), np.nan)
    return np.where(place == NOWHERE, np.nan, values[np.arange(len(values)), place])


def crossfitted(a: Floats, b: Floats, chosen_on_a: Ints, chosen_on_b: Ints) -> Floats:
    """Return the mean of half B's values where half A chose, and of half A's where B chose; arrays [R, S], places [R].

    A quantity of no half, a probe loss for one, is given as both.
    """
    return (at(b, chosen_on_a) + at(a, chosen_on_b)) / 2
