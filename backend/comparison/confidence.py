"""How sure runs are of their answers, as their ledgers have it: numbers of a run that differ between arms seed by seed.

Classification only. By run, clock and name: `brier` and `error` (expected calibration error) of the rows that answers
speak of; `temperature` that was fitted on other rows, `loss` and, after that temperature, `scaled` on
the rows it is judged on.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from . import schema
from .statistics.intervals import Interval, t_interval

Confidence = Mapping[str, Mapping[str, Mapping[str, float]]]


def values(found: Confidence, arm: schema.ArmComparison, clock: schema.Clock, name: str) -> dict[int, float]:
    """Return a number of an arm's finished runs by seed; none of runs without a ledger."""
    told = {run.seed: found.get(run.run_id, {}).get(clock, {}).get(name) for run in arm.runs if run.finished}
    return {seed: value for seed, value in told.items() if value is not None and np.isfinite(value)}


def mean(found: Confidence, arm: schema.ArmComparison, clock: schema.Clock, name: str) -> float | None:
    """Return the mean over an arm's seeds, None without any."""
    told = list(values(found, arm, clock, name).values())
    return float(np.mean(told)) if told else None


def apart(
    found: Confidence, one: schema.ArmComparison, other: schema.ArmComparison, clock: schema.Clock, name: str
) -> Interval:
    """Return the mean of the seeds' differences, `one` less `other`, with its 95 % t interval."""
    first, second = (values(found, arm, clock, name) for arm in (one, other))
    seeds: Sequence[int] = sorted(first.keys() & second.keys())
    return t_interval(np.array([first[seed] - second[seed] for seed in seeds], np.float64))
