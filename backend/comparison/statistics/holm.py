"""Holm's step-down adjustment of several p values (Holm 1979): it holds the chance of any false "difference" at
the level.
"""

from collections.abc import Sequence

import numpy as np


def holm(p: Sequence[float | None]) -> list[float | None]:
    """Return adjusted p values in the given order; None stays None and is not counted in the family.

    With m tests and p sorted upwards: p'(i) = max over j ≤ i of min(1, (m − j + 1) · p(j)).
    """
    known = [i for i, value in enumerate(p) if value is not None]
    adjusted: list[float | None] = [None] * len(p)
    if not known:
        return adjusted
    values = np.array([p[i] for i in known], np.float64)
    order = np.argsort(values, kind="stable")
    steps = np.minimum(1.0, values[order] * np.arange(len(values), 0, -1))
    for place, value in zip(order, np.maximum.accumulate(steps), strict=True):
        adjusted[known[int(place)]] = float(value)
    return adjusted
