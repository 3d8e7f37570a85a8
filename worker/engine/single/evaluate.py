"""Validation and probe of one slot, dropout off, and a slice with dropout on too."""

from collections.abc import Sequence

import torch
from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged
from worker.engine.losses import Tally, divergence, predictions, unit_losses
from worker.engine.pass_state import SLICE_PASS
from worker.engine.seed_batches import SeedBatches
from worker.engine.single.step import SingleSlot

_UNITS = 512  # units whose logits are computed at once: a vocabulary of 50,000 makes 100 MB of them


def evaluate(slot: SingleSlot, data: SeedBatches) -> Judged:
    """All that one evaluation counts; the base model's weights stay as they are."""
    judged = Judged(judge(slot, data.validation), judge(slot, data.probe_rest))
    _judge_slice(slot, data, judged)
    return judged


@torch.no_grad()
def judge(slot: SingleSlot, batches: Sequence[Batch]) -> Tally:
    """Losses and predictions of `batches` with dropout off."""
    tally = Tally()
    for batch in batches:
        features = slot.host.features(batch, slot.adapters, None)
        for span, logits in _logits(slot, features, len(batch.examples)):
            _count(slot, tally, batch, span, logits)
    return tally


@torch.no_grad()
def _judge_slice(slot: SingleSlot, data: SeedBatches, judged: Judged) -> None:
    """The slice of the probe, if there is one, with dropout off and on."""
    for batch in data.probe_slice:
        features = slot.host.features(batch, slot.adapters, None)
        drops = slot.drops(batch, slot.progress.step, SLICE_PASS)
        dropped = None if drops is None else slot.host.features(batch, slot.adapters, drops)
        for span, logits in _logits(slot, features, len(batch.examples)):
            _count(slot, judged.off, batch, span, logits)
            if dropped is None or drops is None:
                continue
            drops.units = span
            logits_on = slot.host.logits(dropped[span], slot.head, drops)
            _count(slot, judged.on, batch, span, logits_on)
            if slot.arm.task != "regression":
                judged.apart.add(divergence(logits_on, logits), batch.examples[span], None)


def _logits(slot: SingleSlot, features: Tensor, units: int) -> list[tuple[slice, Tensor]]:
    spans = [slice(start, min(start + _UNITS, units)) for start in range(0, units, _UNITS)]
    return [(span, slot.host.logits(features[span], slot.head, None)) for span in spans]


def _count(slot: SingleSlot, tally: Tally, batch: Batch, span: slice, logits: Tensor) -> None:
    labels = batch.labels[span]
    task = slot.arm.task
    tally.add(unit_losses(task, logits, labels), batch.examples[span], (predictions(task, logits), labels))
