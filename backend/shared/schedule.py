"""How many optimizer steps a run takes, and the learning rate of each; the service and the trainer agree on both."""

import math
from dataclasses import dataclass

from backend.shared.specs import ScheduleName, TrainingSpec


def steps_per_epoch(rows: int, batch_size: int) -> int:
    """Batches that one pass over the rows takes; the last one may be smaller."""
    return -(-rows // batch_size)


def total_steps(rows: int, batch_size: int, epochs: float) -> int:
    """Steps of a run; a fraction of an epoch ends it early, rounded up to whole steps as transformers' Trainer does."""
    return max(1, math.ceil(steps_per_epoch(rows, batch_size) * epochs))


@dataclass(frozen=True)
class Schedule:
    """Linear warm-up over `warmup` steps to `peak`, then by its shape down to 0 at `total` steps, or no more down.

    Those of transformers' `get_linear_schedule_with_warmup`, `get_cosine_schedule_with_warmup` (half a wave) and
    `get_constant_schedule_with_warmup`.
    """

    peak: float
    warmup: int
    total: int
    shape: ScheduleName = "linear"

    @classmethod
    def of(cls, training: TrainingSpec, total: int) -> "Schedule":
        """That of a run of so many steps: the share of warm-up steps rounded up, as transformers does."""
        return cls(training.learning_rate, math.ceil(training.warmup_ratio * total), total, training.schedule)

    def rate(self, step: int) -> float:
        """Learning rate of the update that is number `step`, counted from 0."""
        if step < self.warmup:
            return self.peak * step / max(1, self.warmup)
        if self.shape == "constant":
            return self.peak
        left = max(0.0, (self.total - step) / max(1, self.total - self.warmup))
        return self.peak * (left if self.shape == "linear" else 0.5 * (1.0 + math.cos(math.pi * (1.0 - left))))


def evaluation_steps(total: int, evaluations: int) -> frozenset[int]:
    """Steps after which to evaluate: evenly spaced, the last one at the end; fewer where there are fewer steps."""
    return frozenset(max(1, round(total * k / evaluations)) for k in range(1, evaluations + 1))


def epoch_of(step: int, rows: int, training: TrainingSpec) -> float:
    """Passes over the training rows after `step` steps."""
    return step / max(1, -(-rows // training.batch_size))
