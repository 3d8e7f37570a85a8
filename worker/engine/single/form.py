"""The form for a processor: a group is one run."""

import time
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged
from worker.engine.losses import Tally
from worker.engine.seed_batches import SeedBatches
from worker.engine.single.evaluate import evaluate, judge
from worker.engine.single.step import SingleSlot


class SingleForm:
    """One slot, which always has what it trains and whose losses are known at once."""

    read_every = 1  # steps

    def __init__(self, slot: SingleSlot) -> None:
        self._slot = slot
        self._last: tuple[tuple[float, float], ...] = ()

    @property
    def step(self) -> int:
        """Optimizer steps taken."""
        return self._slot.progress.step

    def take(self, batch: Batch) -> None:
        """Take one optimizer step."""
        begun = time.perf_counter()
        loss = self._slot.train_step(batch)
        self._last = ((loss, time.perf_counter() - begun),)

    def taken(self) -> Iterator[tuple[int, Sequence[tuple[float, float]]]]:
        """The last step's loss and seconds, once; the slot has counted the step itself."""
        last, self._last = self._last, ()
        if last:
            yield 0, last

    def evaluate(self, data: SeedBatches) -> list[Judged]:
        """All that one evaluation counts."""
        return [evaluate(self._slot, data)]

    def judge(self, batches: Sequence[Batch]) -> list[Tally]:
        """Losses and predictions with dropout off."""
        return [judge(self._slot, batches)]

    def judge_with(self, batches: Sequence[Batch], values: Mapping[int, Tensor]) -> list[Tally]:
        """The same with other values of the run, which then has its own again."""
        parameters = self._slot.parameters
        own = parameters.values.clone()
        parameters.load(values[0])
        try:
            return self.judge(batches)
        finally:
            parameters.load(own)

    def store(self, seat: int) -> None:
        """The slot has it."""

    def vacate(self, seat: int) -> None:
        """Nobody else is here."""
