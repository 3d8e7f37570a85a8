"""One run as its charts need it: plain frozen data, steps ascending."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from backend.shared.schedule import Schedule

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class RunCurves:
    """What was measured of one run.

    colour_key: picks its arm's colour.  steps and metrics: of its evaluations, by names of `metrics.recorded`, NaN
    where a value is missing or not finite.  loss_steps and losses: every optimizer step's loss, dropout on.
    schedule: its learning rate, where the number of steps is known.
    """

    run_id: str
    study_id: str
    event_seq: int
    seed: int
    status: str
    task: str
    colour_key: str
    steps: Floats
    metrics: Mapping[str, Floats]
    loss_steps: Floats
    losses: Floats
    step: int = 0
    schedule: Schedule | None = None

    def of(self, metric: str) -> Floats:
        """Return a metric at `steps`, NaN where it was not measured."""
        return self.metrics.get(metric, np.full(len(self.steps), np.nan))
