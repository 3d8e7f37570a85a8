"""The batches of one seed, packed once and shared by all its arms: every step's, and those of the evaluations."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache, partial

import numpy as np

from worker.data.draw import SeedData
from worker.data.rows import Rows
from worker.engine.batches import Batch, Reading, evaluation_batches, make_batch
from worker.engine.elsewhere import Elsewhere

_KEPT_STEPS = 8  # slots of a pack are at most a few steps apart


@dataclass(frozen=True)
class HeldOut:
    """Validation and test rows in batches; they are the same for all seeds."""

    validation: list[Batch]
    test: list[Batch]

    @classmethod
    def of(cls, data: SeedData, reading: Reading) -> "HeldOut":
        """The batches of what a seed draws."""
        test = evaluation_batches(data.test, reading) if len(data.test) else []
        return cls(evaluation_batches(data.validation, reading), test)


class SeedBatches:
    """Rows of one seed in batches.

    steps: row numbers of every training step; held: every seed's held-out rows; dropout_on_rows: how many of the
    probe's rows are the slice that is also judged with dropout on; elsewhere: rows of further data sets.
    """

    def __init__(
        self,
        data: SeedData,
        steps: Sequence[np.ndarray],
        reading: Reading,
        held: HeldOut,
        dropout_on_rows: int,
        elsewhere: Elsewhere | None = None,
    ) -> None:
        self.steps, self.train_rows = steps, len(data.train)
        self._train = data.train
        self.elsewhere = elsewhere or Elsewhere()
        self.validation, self.test = held.validation, held.test
        self.validation_rows, self.test_rows = data.validation, data.test
        rows = np.arange(len(data.probe))
        both, rest = rows[:dropout_on_rows], rows[dropout_on_rows:]
        self.probe_slice = evaluation_batches(data.probe, reading, both) if len(both) else []
        self.probe_rest = evaluation_batches(data.probe, reading, rest) if len(rest) else []
        self._pack = partial(_step_batch, data.train, steps, reading)  # no method: the cache would hold its own holder
        self._packed = lru_cache(maxsize=_KEPT_STEPS)(self._pack)

    def batch(self, step: int) -> Batch:
        """The batch of training step `step`, counted from 0."""
        return self._packed(step)

    def largest(self) -> Batch:
        """The batch of the training step with the most tokens, for a look at the memory it takes."""
        lengths = self._train.lengths
        tokens = [int(lengths[rows].sum()) for rows in self.steps]
        return self._pack(int(np.argmax(tokens)))


def _step_batch(rows: Rows, steps: Sequence[np.ndarray], reading: Reading, step: int) -> Batch:
    return make_batch(rows, steps[step], reading)
