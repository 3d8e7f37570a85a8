"""What a method is worth at its best setting: chosen without the seeds that report it, and after how many tries.

A setting that is chosen and reported by the same seeds keeps their luck. So each seed reports the setting that the
other seeds chose (leave one out). And more tries find better settings: what k tries are expected to find is the mean
over all ways to draw k of a method's settings, with replacement (Dodge et al. 2019, EMNLP, "Show Your Work").
"""

import numpy as np

from .records import Floats


def crossfitted(choose: Floats, report: Floats, *, higher: bool = False) -> Floats:
    """Return for each seed what `report` [settings, seeds] says of the setting that is best in `choose` [settings,
    seeds] by its mean over the other seeds, of those that all settings have; NaN where there are none.
    """
    sign = -1.0 if higher else 1.0
    shared = np.isfinite(choose).all(axis=0)
    found = np.full(choose.shape[1], np.nan)
    for seed in range(choose.shape[1]):
        others = shared & (np.arange(choose.shape[1]) != seed)
        if len(choose) == 1:
            found[seed] = report[0, seed]
        elif others.any():
            found[seed] = report[int(np.argmin(sign * choose[:, others].mean(axis=1))), seed]
    return found


def expected_best(choose: Floats, report: Floats, *, higher: bool = False) -> tuple[Floats, Floats]:
    """Return the expected value, in `choose` [n] and in `report` [n], of the setting that is best in `choose` among k
    drawn ones, for k = 1 … n: two arrays [n]. In closed form: the i-th best of n (from 0) is the best of k draws with
    probability ((n − i) / n)^k − ((n − i − 1) / n)^k.
    """
    n = len(choose)
    order = np.argsort(-choose if higher else choose, kind="stable")
    left = np.arange(n, -1, -1) / n
    k = np.arange(1, n + 1)[:, None]
    chance = left[:-1] ** k - left[1:] ** k
    return chance @ choose[order], chance @ report[order]
