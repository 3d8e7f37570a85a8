"""The form for a GPU: a group is a stack, and its losses stay on the device for some steps, so that nobody waits."""

import time
from collections.abc import Iterator, Mapping, Sequence

import torch
from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged
from worker.engine.losses import Tally
from worker.engine.seed_batches import SeedBatches
from worker.engine.slot import Slot
from worker.engine.stacked.evaluate import evaluate_stack, judge_stack
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.random_bits import Stream
from worker.engine.stacked.shape import StackShape
from worker.engine.stacked.stack import Stack


class StackedForm(Stack):
    """A stack, whose lanes are the seats."""

    read_every = 8  # steps

    def __init__(self, host: StackHost, slots: Sequence[Slot], shape: StackShape, stream: Stream) -> None:
        super().__init__(host, slots, shape, stream)
        self._pending: list[tuple[Batch, Tensor]] = []  # steps that were not read yet, with their losses [K]
        self._begun = 0.0  # when the first of them was

    def take(self, batch: Batch) -> None:
        """Take one optimizer step with every slot; the device is not waited for."""
        if not self._pending:
            self._begun = time.monotonic()
        self._pending.append((batch, self.train_step(batch)))

    def taken(self) -> Iterator[tuple[int, Iterator[tuple[float, float]]]]:
        """The steps since the last time; a run's seconds are its share of the stack's."""
        if not self._pending:
            return
        rows = torch.stack([losses for _, losses in self._pending]).tolist()
        live = [(seat, slot) for seat, slot in enumerate(self.slots) if slot is not None]
        seconds = (time.monotonic() - self._begun) / len(rows) / max(1, len(live))
        taken = [(batch, row) for (batch, _), row in zip(self._pending, rows, strict=True)]
        self._pending.clear()
        for seat, slot in live:
            yield seat, _counted(slot, [(batch, row[seat]) for batch, row in taken], seconds)

    def evaluate(self, data: SeedBatches) -> list[Judged]:
        """All that one evaluation counts, by lane."""
        judged = evaluate_stack(self, data)
        self.read_norms()
        return judged

    def judge(self, batches: Sequence[Batch]) -> list[Tally]:
        """Losses and predictions with dropout off, by lane."""
        return judge_stack(self, batches)

    def judge_with(self, batches: Sequence[Batch], values: Mapping[int, Tensor]) -> list[Tally]:
        """The same with other values in some lanes, which then have their own again."""
        with self.borrowed(values):
            return judge_stack(self, batches)


def _counted(slot: Slot, taken: Sequence[tuple[Batch, float]], seconds: float) -> Iterator[tuple[float, float]]:
    for batch, loss in taken:
        slot.count(batch)
        yield loss, seconds
