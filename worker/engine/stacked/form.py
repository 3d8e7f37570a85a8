"""The form for a GPU: a group is a stack, and its losses stay on the device for some steps, so that nobody waits."""

import time
from collections.abc import Iterator, Sequence

import torch
from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged
from worker.engine.losses import Tally
from worker.engine.seed_batches import SeedBatches
from worker.engine.slot import Slot
from worker.engine.stacked.evaluate import evaluate_stack, judge_stack
from worker.engine.stacked.stack import Stack


class StackedForm:
    """A stack, whose lanes are the seats."""

    read_every = 8  # steps

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._pending: list[tuple[Batch, Tensor]] = []  # steps that were not read yet, with their losses [K]
        self._begun = 0.0  # when the first of them was

    @property
    def step(self) -> int:
        """Optimizer steps taken, read or not."""
        return self._stack.step

    def take(self, batch: Batch) -> None:
        """Take one optimizer step with every slot; the device is not waited for."""
        if not self._pending:
            self._begun = time.monotonic()
        self._pending.append((batch, self._stack.train_step(batch)))

    def read(self) -> Iterator[tuple[int, Iterator[tuple[float, float]]]]:
        """The steps since the last time; a run's seconds are its share of the stack's."""
        if not self._pending:
            return
        batches = [batch for batch, _ in self._pending]
        rows = torch.stack([losses for _, losses in self._pending]).tolist()
        live = self._stack.live
        seconds = (time.monotonic() - self._begun) / len(rows) / max(1, len(live))
        self._pending.clear()
        for seat in live:
            slot = self._stack.slots[seat]
            assert slot is not None
            yield seat, _counted(slot, batches, [row[seat] for row in rows], seconds)

    def evaluate(self, data: SeedBatches) -> list[Judged]:
        """All that one evaluation counts, by lane."""
        judged = evaluate_stack(self._stack, data)
        self._stack.read_norms()
        return judged

    def judge(self, batches: Sequence[Batch]) -> list[Tally]:
        """Losses and predictions with dropout off, by lane."""
        return judge_stack(self._stack, batches)

    def store(self, seat: int) -> None:
        """Bring what a run trains back from the device."""
        self._stack.store(seat)

    def vacate(self, seat: int) -> None:
        """Let a run go; its lane computes zeros from here on."""
        self._stack.vacate(seat)


def _counted(
    slot: Slot, batches: Sequence[Batch], losses: Sequence[float], seconds: float
) -> Iterator[tuple[float, float]]:
    for batch, loss in zip(batches, losses, strict=True):
        slot.count(batch)
        yield loss, seconds
