"""K runs of one seed as one training step: their tensors, their lanes, and the step that all take together."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

import numpy as np
import torch
from torch import Tensor
from transformer_dropout.masks import Draw
from transformer_dropout.spec import CONSISTENCY, Consistency

from worker.engine.batches import Batch
from worker.engine.losses import TwoPasses, total_loss
from worker.engine.pass_state import LaneAdapters
from worker.engine.slot import Slot
from worker.engine.stacked.drop_plan import Plan
from worker.engine.stacked.drops import StackDrops
from worker.engine.stacked.layout import LaneBatch, lane_batch
from worker.engine.stacked.optimizer import StackAdamW
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.random_bits import Bits, Stream
from worker.engine.stacked.shape import StackShape, second_pass
from worker.engine.stacked.tensors import StackTensors
from worker.engine.stacked.to_device import upload

_NO_TIE = Consistency()


class Stack:
    """Slots of one seed that stand at the same step. A vacant slot is None, and its lane goes on computing zeros.

    slots: at most `shape.slots`, all made with `host`; `store` brings back what they train.
    """

    def __init__(self, host: StackHost, slots: Sequence[Slot], shape: StackShape, stream: Stream) -> None:
        self.host, self.shape, self.stream = host, shape, stream
        vacant = [None] * (shape.slots - len(slots))
        self.slots: list[Slot | None] = [*slots, *vacant]
        self.seed, self.step = slots[0].seed, slots[0].progress.step
        self.task = slots[0].arm.task
        device = host.device
        self.tensors = StackTensors(host.shapes(shape.rank), shape.slots, host.dtype, device)
        self.optimizer = StackAdamW(self.tensors.values, self.tensors.decayed)
        for at, slot in enumerate(slots):
            self._load(at, slot)
        self.tensors.refresh()
        scaling = np.array([1.0 if slot is None else slot.scaling for slot in self.slots])
        self._scaling = upload([scaling], device)[0].float()
        self._head = {name: self.tensors.leaf(name) for name in host.head_names}
        self._detached = self._second_lanes("detached", shape.detached)
        self._paired = self._second_lanes("paired", shape.paired)
        self._lanes: dict[tuple[int, ...], Tensor] = {}
        self._plans: dict[tuple[tuple[int, ...], bool], Plan] = {}

    @property
    def live(self) -> list[int]:
        """Places that are not vacant."""
        return [at for at, slot in enumerate(self.slots) if slot is not None]

    @property
    def every(self) -> tuple[int, ...]:
        """The lanes of a first pass: every slot's."""
        return tuple(range(self.shape.slots))

    def train_step(self, batch: Batch) -> Tensor:
        """Take one optimizer step with every slot and return their losses with dropout on, [K] on the device."""
        losses = self.losses(batch, self.step)
        grad = self.tensors.backward(losses.sum())
        self.optimizer.update(grad, [None if slot is None else slot.optimizer for slot in self.slots], self.step)
        self.tensors.refresh()
        self.step += 1
        return losses.detach()

    def losses(self, batch: Batch, step: int) -> Tensor:
        """The losses [K] of step number `step` (from 0) with their graph: task and consistency, dropout on."""
        read = self.read(batch)
        features, logits = self.outputs(read, self.every, self.drops(read, self.every, step, 0))
        smoothing = [0.0 if slot is None else slot.arm.training.label_smoothing for slot in self.slots]
        found = [
            total_loss(self.task, read.labels, _NO_TIE, own, None, smoothing[lane]) for lane, own in enumerate(logits)
        ]
        for lanes, trained in ((self._detached, False), (self._paired, True)):
            if not lanes:
                continue
            with torch.set_grad_enabled(trained):
                others = self.outputs(read, lanes, self.drops(read, lanes, step, 1, second=True))
            for at, lane in enumerate(lanes):
                slot = self.slots[lane]
                if slot is None or second_pass(slot) != ("paired" if trained else "detached"):
                    continue  # a lane that only keeps the shape
                passes = TwoPasses(logits[lane], others[1][at], features[lane], others[0][at])
                tie = slot.method.consistency
                found[lane] = total_loss(self.task, read.labels, tie, logits[lane], passes, smoothing[lane])
        return torch.stack(found)

    def outputs(self, read: LaneBatch, lanes: tuple[int, ...], drops: StackDrops | None) -> tuple[Tensor, Tensor]:
        """Features [A, U, E] and logits [A, U, C] of one pass; lanes: whose tensors each lane uses."""
        features = self.features(read, lanes, drops)
        return features, self.logits(features, lanes, drops)

    def features(self, read: LaneBatch, lanes: tuple[int, ...], drops: StackDrops | None) -> Tensor:
        """What the heads read, [A, U, E]."""
        adapters = [
            LaneAdapters(
                self._of(lanes, self.tensors.leaf(f"{target.name}.lora_A.weight")),
                self._of(lanes, self.tensors.leaf(f"{target.name}.lora_B.weight")),
                self._of(lanes, self._scaling).view(-1, 1, 1),
            )
            for target in self.host.targets
        ]
        return self.host.lanes(read, adapters, drops)

    def logits(self, features: Tensor, lanes: tuple[int, ...], drops: StackDrops | None) -> Tensor:
        """Logits [A, U, C] fp32 of features."""
        return self.host.heads(features, {name: self._of(lanes, leaf) for name, leaf in self._head.items()}, drops)

    def read(self, batch: Batch) -> LaneBatch:
        """A batch as the lanes read it, kept with the batch."""
        cache, name = batch.packed.layout.cache, f"lanes {self.host.device}"
        found = cache.get(name)
        if not isinstance(found, LaneBatch):
            found = cache[name] = lane_batch(batch, self.host.device, self.host.reading.dummy_id)
        return found

    def drops(
        self, read: LaneBatch, lanes: tuple[int, ...], step: int, pass_index: int, second: bool = False
    ) -> StackDrops | None:
        """The masks of one pass; None where no lane drops anything. second: of a consistency loss."""
        plan = self._plan(lanes, second)
        if plan.idle:
            return None
        hooked = self.host.hooked
        bits = Bits(Draw(self.seed, step, pass_index), self.host.device, self.stream)
        places = read.places if self.task == "causal_lm" else None
        return StackDrops(plan, bits, read.layout, hooked.attention_layers, hooked.native_dropouts, places)

    def store(self, at: int) -> Slot:
        """Bring what a slot trains back to it."""
        slot = self.slots[at]
        assert slot is not None  # a vacant place has nothing to bring back
        shapes = slot.parameters.shapes
        rows = torch.stack([self.tensors.values[at], self.optimizer.mean[at], self.optimizer.square[at]]).cpu()
        values, mean, square = (self.tensors.flat(shapes, row) for row in rows)
        slot.parameters.load(values)
        slot.optimizer.mean.copy_(mean)
        slot.optimizer.square.copy_(square)
        return slot

    @contextmanager
    def borrowed(self, values: Mapping[int, Tensor]) -> Iterator[None]:
        """Put other values [n] of their slots into some lanes, for as long as the context is entered."""
        own = {at: self.tensors.values[at].clone() for at in values}
        for at, flat in values.items():
            slot = self.slots[at]
            assert slot is not None  # a vacant place has no values of its own
            self.tensors.values[at].copy_(self.tensors.padded(slot.parameters.shapes, flat))
        self.tensors.refresh()
        try:
            yield
        finally:
            for at, row in own.items():
                self.tensors.values[at].copy_(row)
            self.tensors.refresh()

    def read_norms(self) -> None:
        """Tell every slot the norm of its last gradient, if there was one."""
        if self.optimizer.norm is None:
            return
        for slot, norm in zip(self.slots, self.optimizer.norm.flatten().tolist(), strict=True):
            if slot is not None:
                slot.optimizer.norm = norm

    def vacate(self, at: int) -> None:
        """Let a slot go; its lane keeps the shape with zeros."""
        self.slots[at] = None
        for tensor in (self.tensors.values, self.optimizer.mean, self.optimizer.square):
            tensor[at].zero_()
        self.tensors.refresh()

    def _load(self, at: int, slot: Slot) -> None:
        shapes = slot.parameters.shapes
        for whole, flat in (
            (self.tensors.values, slot.parameters.values),
            (self.optimizer.mean, slot.optimizer.mean),
            (self.optimizer.square, slot.optimizer.square),
        ):
            whole[at].copy_(self.tensors.padded(shapes, flat))

    def _second_lanes(self, way: str, count: int) -> tuple[int, ...]:
        """The slots with a second pass of this way, and vacant ones up to `count`."""
        own = [at for at, slot in enumerate(self.slots) if slot is not None and second_pass(slot) == way]
        spare = [at for at, slot in enumerate(self.slots) if slot is None]
        return tuple(own + (spare + [0] * count)[: count - len(own)])

    def _of(self, lanes: tuple[int, ...], whole: Tensor) -> Tensor:
        """The lanes' part of a tensor of all slots."""
        if lanes == self.every:
            return whole
        if lanes not in self._lanes:
            self._lanes[lanes] = upload([np.array(lanes)], self.host.device)[0]
        return whole.index_select(0, self._lanes[lanes])

    def _plan(self, lanes: tuple[int, ...], second: bool) -> Plan:
        """Who drops what, made once: a lane keeps its masks when its slot is vacated."""
        key = (lanes, second)
        if key not in self._plans:
            slots = [self.slots[lane] for lane in lanes]
            methods = [
                None
                if slot is None or (second and CONSISTENCY[slot.method.consistency.kind].second_clean)
                else slot.method
                for slot in slots
            ]
            ranks = [self.shape.rank if slot is None else slot.arm.rank for slot in slots]
            self._plans[key] = Plan(methods, ranks, self.host.device)
        return self._plans[key]
