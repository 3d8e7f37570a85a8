"""The seam between the loop and the arithmetic: what a form of training offers for one group of runs.

A group is what takes its steps together: on a processor one run (`worker.engine.single`), on a GPU the whole pack
(`worker.engine.stacked`). The loop knows runs by their seats, the numbers of their places in the group, and all rules;
a form knows tensors. The least form, of one run that learns nothing:

    class Idle:
        read_every = 1

        def __init__(self, slot):
            self.slot, self.step, self.batches = slot, slot.progress.step, []

        def take(self, batch):
            self.step += 1
            self.batches.append(batch)

        def taken(self):
            while self.batches:
                self.slot.count(self.batches.pop(0))
                yield 0, [(0.7, 0.001)]

        def evaluate(self, data):
            return [Judged(*(self.judge(part)[0] for part in (data.validation, data.probe_rest, data.probe_slice)))]

        def judge(self, batches):
            tally = Tally()
            for batch in batches:
                tally.add(torch.full([len(batch.examples)], 0.7), batch.examples, None)
            return [tally]

        def judge_with(self, batches, values):
            return self.judge(batches)

        def store(self, seat): ...

        def vacate(self, seat): ...
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged
from worker.engine.losses import Tally
from worker.engine.seed_batches import SeedBatches


class Form(Protocol):
    """The arithmetic of one group. What it gives by seat may go on after the last run: vacant seats mean nothing."""

    @property
    def read_every(self) -> int:
        """Steps after which the losses are read at the latest: reading may mean to wait for a device."""

    @property
    def step(self) -> int:
        """Optimizer steps taken, read or not."""

    def take(self, batch: Batch) -> None:
        """Take one optimizer step with every run."""

    def taken(self) -> Iterable[tuple[int, Iterable[tuple[float, float]]]]:
        """The steps since the last time, by seat: a run's losses with its seconds a step.

        A step is counted in the run's progress when its loss is asked for; what is not asked for is lost.
        """

    def evaluate(self, data: SeedBatches) -> Sequence[Judged]:
        """All that one evaluation counts, by seat; the slots then know the norms of their last gradients."""

    def judge(self, batches: Sequence[Batch]) -> Sequence[Tally]:
        """Losses and predictions with dropout off, by seat."""

    def judge_with(self, batches: Sequence[Batch], values: Mapping[int, Tensor]) -> Sequence[Tally]:
        """The same with these values [n] by seat instead of what those runs train, which is as it was afterwards."""

    def store(self, seat: int, /) -> object:
        """Bring what a run trains back to its slot."""

    def vacate(self, seat: int, /) -> None:
        """Let a run go; the others are not disturbed."""
