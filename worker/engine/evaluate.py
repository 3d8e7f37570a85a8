"""What an evaluation counts, for all runs of a group at once, and how it is told: means over units, never over batches.

The forms differ in how they come from a batch to the logits of its units.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from backend.shared.specs import Task
from worker.data import halves
from worker.engine.batches import Batch
from worker.engine.ledger import detail
from worker.engine.losses import Tally, divergence, predictions, unit_losses
from worker.engine.scores import scores
from worker.engine.seed_batches import SeedBatches
from worker.engine.slot import Slot


@dataclass(frozen=True)
class Logits:
    """What K runs say of the units `span` of a batch, which are U."""

    span: slice
    labels: Tensor  # [U]
    off: Tensor  # [K, U, C] fp32
    on: Tensor | None  # the same with dropout on, where that was asked for and somebody drops something


Pass = Callable[[Batch, bool], Iterator[Logits]]  # a batch, and whether with dropout on too: its logits, span by span


@dataclass
class Judged:
    """What one evaluation counted: the validation set; the probe but for its slice; the slice, dropout off and on."""

    validation: Tally
    rest: Tally
    off: Tally = field(default_factory=Tally)
    on: Tally = field(default_factory=Tally)
    apart: Tally = field(default_factory=Tally)  # divergence of the slice's outputs with dropout on from those without


@torch.no_grad()
def judge_runs(logits: Pass, task: Task, runs: int, batches: Sequence[Batch], detailed: bool = True) -> list[Tally]:
    """Losses and predictions of `batches` with dropout off, by run; detailed: with what a ledger keeps of logits."""
    sums = _Sums(task, detailed=detailed and task == "classification")
    for batch in batches:
        for found in logits(batch, False):
            sums.count(batch, found, found.off)
    return sums.tallies(runs)


@torch.no_grad()
def evaluate_runs(logits: Pass, task: Task, slots: Sequence[Slot | None], data: SeedBatches) -> list[Judged]:
    """All that one evaluation counts, by run; what a vacant slot got is of no meaning."""
    runs = len(slots)
    validation = judge_runs(logits, task, runs, data.validation)
    rest = judge_runs(logits, task, runs, data.probe_rest, detailed=False)
    off, on, apart = _Sums(task), _Sums(task), _Sums(task)
    for batch in data.probe_slice:
        for found in logits(batch, True):
            off.count(batch, found, found.off)
            if found.on is None:
                continue
            on.count(batch, found, found.on)
            if task != "regression":
                apart.losses.append(divergence(found.on, found.off))
                apart.examples.append(batch.examples[found.span])
    judged = []
    slices = zip(*(sums.tallies(runs) for sums in (off, on, apart)), strict=True)
    for slot, one, probe, (quiet, noisy, between) in zip(slots, validation, rest, slices, strict=True):
        if slot is not None and not slot.drops_anything:  # no second outcome, though a lane was passed through twice
            noisy = between = Tally()
        judged.append(Judged(one, probe, quiet, noisy, between))
    return judged


def spans(units: int, size: int) -> list[slice]:
    """Units in parts of at most `size`."""
    return [slice(start, min(start + size, units)) for start in range(0, units, size)]


@dataclass
class _Sums:
    """Losses [K, U] of batches after batches, still on the device."""

    task: Task
    losses: list[Tensor] = field(default_factory=list)
    predicted: list[Tensor] = field(default_factory=list)
    right: list[Tensor] = field(default_factory=list)  # [U]: the same for all runs
    examples: list[np.ndarray] = field(default_factory=list)
    detailed: bool = False
    details: list[Tensor] = field(default_factory=list)  # [K, U, D]

    def count(self, batch: Batch, found: Logits, logits: Tensor) -> None:
        """Add the units of a span, logits [K, U, C]."""
        runs, units = logits.shape[:2]
        flat, labels = logits.flatten(0, 1), found.labels.repeat(runs)
        self.losses.append(unit_losses(self.task, flat, labels).view(runs, units))
        self.predicted.append(predictions(self.task, flat).view(runs, units))
        self.right.append(found.labels)
        if self.detailed:
            self.details.append(detail(logits, found.labels))
        self.examples.append(batch.examples[found.span])

    def tallies(self, runs: int) -> list[Tally]:
        """One tally a run."""
        tallies = [Tally() for _ in range(runs)]
        if not self.losses:
            return tallies
        losses = torch.cat(self.losses, 1).cpu()
        predicted = torch.cat(self.predicted, 1).cpu() if self.predicted else None
        right = torch.cat(self.right).cpu() if self.right else torch.empty(0)
        details = torch.cat(self.details, 1).cpu() if self.details else None
        examples = np.concatenate(self.examples)
        for at, tally in enumerate(tallies):
            said = None if predicted is None else (predicted[at], right)
            tally.add(losses[at], examples, said, None if details is None else details[at])
        return tallies


def measured(slot: Slot, judged: Judged) -> dict[str, float]:
    """The values of one evaluation, by names of METRICS, and the norm of the last step's gradient before clipping."""
    validation, off, on, apart = judged.validation, judged.off, judged.on, judged.apart
    values = told_validation(slot, validation)
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
    return {f"{split}/loss_se": tally.standard_error, **_told(split, slot, tally)}


def told_validation(slot: Slot, validation: Tally) -> dict[str, float]:
    """The same of the validation rows, and of their halves."""
    return told("validation", slot, validation) | _told_halves(slot, validation)


def _told_halves(slot: Slot, validation: Tally) -> dict[str, float]:
    """The same of either half of the validation rows, so that a step chosen on one is reported on the other."""
    first, second = halves(validation.examples)
    if not len(second):
        return {}
    return {
        name: value
        for letter, rows in (("a", first), ("b", second))
        for name, value in _told(f"validation_{letter}", slot, validation.part(rows)).items()
    }


def _told(split: str, slot: Slot, tally: Tally) -> dict[str, float]:
    found = {"loss": tally.mean}
    if slot.arm.task == "causal_lm":
        found["accuracy"] = tally.accuracy or 0.0
    else:
        found |= scores(slot.arm.task, tally.predicted, tally.right)
    return {f"{split}/{name}": value for name, value in found.items()}
