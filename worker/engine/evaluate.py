"""Validation and probe in evaluation mode, a slice with dropout on too: means over units, never over batches."""

from dataclasses import dataclass, field

import numpy as np

from worker.engine.losses import Tally
from worker.engine.scores import scores
from worker.engine.slot import Slot


@dataclass
class Judged:
    """What one evaluation counted: the validation set; the probe but for its slice; the slice, dropout off and on."""

    validation: Tally
    rest: Tally
    off: Tally = field(default_factory=Tally)
    on: Tally = field(default_factory=Tally)
    apart: Tally = field(default_factory=Tally)  # divergence of the slice's outputs with dropout on from those without


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
