"""Evaluation of all lanes at once: the sums of `worker.engine.evaluate`, brought back from the device once a set."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged
from worker.engine.losses import Tally, divergence, predictions, unit_losses
from worker.engine.pass_state import SLICE_PASS
from worker.engine.seed_batches import SeedBatches
from worker.engine.stacked.layout import LaneBatch
from worker.engine.stacked.stack import Stack

_UNITS = 4096  # units of all lanes whose logits are computed at once: a vocabulary of 50,000 makes 800 MB of them


@dataclass
class _Sums:
    """Losses [K, U] of batches after batches, still on the device."""

    losses: list[Tensor] = field(default_factory=list)
    predicted: list[Tensor] = field(default_factory=list)
    right: list[Tensor] = field(default_factory=list)  # [U]: the same for all slots
    examples: list[np.ndarray] = field(default_factory=list)

    def tallies(self, slots: int) -> list[Tally]:
        """One tally a slot."""
        found = [Tally() for _ in range(slots)]
        if not self.losses:
            return found
        losses = torch.cat(self.losses, 1).cpu()
        predicted = torch.cat(self.predicted, 1).cpu() if self.predicted else None
        right = torch.cat(self.right).cpu() if self.right else torch.empty(0)
        examples = np.concatenate(self.examples)
        for at, tally in enumerate(found):
            tally.add(losses[at], examples, None if predicted is None else (predicted[at], right))
        return found


@torch.no_grad()
def judge_stack(stack: Stack, batches: Sequence[Batch]) -> list[Tally]:
    """Losses and hits of `batches` with dropout off, by slot."""
    sums = _Sums()
    for batch in batches:
        read = stack.read(batch)
        features = stack.features(read, stack.every, None)
        for span in _spans(stack, read):
            _count(stack, sums, read, span, stack.logits(features[:, span], stack.every, None))
    return sums.tallies(stack.shape.slots)


@torch.no_grad()
def evaluate_stack(stack: Stack, data: SeedBatches) -> list[Judged]:
    """All that one evaluation counts, by slot; what a vacant slot got is of no meaning."""
    validation, rest = judge_stack(stack, data.validation), judge_stack(stack, data.probe_rest)
    off, on, apart = _Sums(), _Sums(), _Sums()
    for batch in data.probe_slice:
        read = stack.read(batch)
        features = stack.features(read, stack.every, None)
        drops = stack.drops(read, stack.every, stack.step, SLICE_PASS)
        dropped = None if drops is None else stack.features(read, stack.every, drops)
        for span in _spans(stack, read):
            logits = stack.logits(features[:, span], stack.every, None)
            _count(stack, off, read, span, logits)
            if dropped is None or drops is None:
                continue
            drops.units = span
            logits_on = stack.logits(dropped[:, span], stack.every, drops)
            _count(stack, on, read, span, logits_on)
            if stack.task != "regression":
                apart.losses.append(divergence(logits_on, logits))
                apart.examples.append(batch.examples[span])
    by_slot = zip(validation, rest, *(sums.tallies(stack.shape.slots) for sums in (off, on, apart)), strict=True)
    return [_undropped(stack, at, Judged(*tallies)) for at, tallies in enumerate(by_slot)]


def _undropped(stack: Stack, at: int, judged: Judged) -> Judged:
    """A slot that drops nothing has no second outcome, though its lane was passed through twice."""
    slot = stack.slots[at]
    if slot is not None and not slot.drops_anything:
        judged.on, judged.apart = Tally(), Tally()
    return judged


def _spans(stack: Stack, read: LaneBatch) -> list[slice]:
    units = int(read.places.shape[0])
    size = max(1, _UNITS // stack.shape.slots)
    return [slice(start, min(start + size, units)) for start in range(0, units, size)]


def _count(stack: Stack, sums: _Sums, read: LaneBatch, span: slice, logits: Tensor) -> None:
    """Add the units `span` of a batch, logits [K, U', C]."""
    slots, units = logits.shape[:2]
    flat, labels = logits.flatten(0, 1), read.labels[span].repeat(slots)
    sums.losses.append(unit_losses(stack.task, flat, labels).view(slots, units))
    sums.predicted.append(predictions(stack.task, flat).view(slots, units))
    sums.right.append(read.labels[span])
    sums.examples.append(read.batch.examples[span])
