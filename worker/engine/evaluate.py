"""Validation and probe in evaluation mode, a slice with dropout on too: means over units, never over batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from worker.engine.batches import Batch
from worker.engine.losses import Tally, divergence, predictions, unit_losses
from worker.engine.scores import scores
from worker.engine.seed_batches import SeedBatches
from worker.engine.single.drops import SLICE_PASS
from worker.engine.slot import Slot

_UNITS = 512  # units whose logits are computed at once: a vocabulary of 50,000 makes 100 MB of them


@dataclass
class Judged:
    """What one evaluation counted: the validation set; the probe but for its slice; the slice, dropout off and on."""

    validation: Tally
    rest: Tally
    off: Tally = field(default_factory=Tally)
    on: Tally = field(default_factory=Tally)
    apart: Tally = field(default_factory=Tally)  # divergence of the slice's outputs with dropout on from those without


def evaluate(slot: Slot, data: SeedBatches) -> Judged:
    """All that one evaluation counts; the base model's weights stay as they are."""
    judged = Judged(judge(slot, data.validation), judge(slot, data.probe_rest))
    _judge_slice(slot, data, judged)
    return judged


def measured(slot: Slot, judged: Judged) -> dict[str, float]:
    """The values of one evaluation, by names of METRICS, and the norm of the last step's gradient before clipping."""
    validation, off, on, apart = judged.validation, judged.off, judged.on, judged.apart
    values = told("validation", slot, validation)
    whole = judged.rest.joined(off)
    values["probe/loss"] = whole.mean
    if slot.arm.task != "regression" and whole.accuracy is not None:
        values["probe/accuracy"] = whole.accuracy
    if off:
        values["probe/slice_loss_off"] = off.mean
        values["probe/slice_loss_on"] = on.mean if on else off.mean
        if slot.arm.task != "regression":
            values["probe/slice_kl"] = apart.mean if apart else 0.0
    if slot.progress.losses:
        values["train/loss"] = float(np.mean(slot.progress.losses))
    if slot.optimizer.norm is not None:
        values["train/gradient_norm"] = slot.optimizer.norm
    values["train/tokens"] = float(slot.progress.tokens)
    values["train/seconds"] = slot.progress.seconds
    return values


def told(split: str, slot: Slot, tally: Tally) -> dict[str, float]:
    """Loss, its standard error and the task's scores of a set, by names of METRICS."""
    found = {"loss": tally.mean, "loss_se": tally.standard_error}
    if slot.arm.task == "causal_lm":
        found["accuracy"] = tally.accuracy or 0.0
    else:
        found |= scores(slot.arm.task, tally.predicted, tally.right)
    return {f"{split}/{name}": value for name, value in found.items()}


@torch.no_grad()
def judge(slot: Slot, batches: Sequence[Batch]) -> Tally:
    """Losses and predictions of `batches` with dropout off."""
    tally = Tally()
    for batch in batches:
        features = slot.host.features(batch, slot.adapters, None)
        for span, logits in _logits(slot, features, len(batch.examples)):
            _count(slot, tally, batch, span, logits)
    return tally


@torch.no_grad()
def _judge_slice(slot: Slot, data: SeedBatches, judged: Judged) -> None:
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


def _logits(slot: Slot, features: Tensor, units: int) -> list[tuple[slice, Tensor]]:
    spans = [slice(start, min(start + _UNITS, units)) for start in range(0, units, _UNITS)]
    return [(span, slot.host.logits(features[span], slot.head, None)) for span in spans]


def _count(slot: Slot, tally: Tally, batch: Batch, span: slice, logits: Tensor) -> None:
    labels = batch.labels[span]
    task = slot.arm.task
    tally.add(unit_losses(task, logits, labels), batch.examples[span], (predictions(task, logits), labels))
