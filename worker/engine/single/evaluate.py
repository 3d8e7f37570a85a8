"""Evaluation of one slot: from a batch to the logits of its units."""

from collections.abc import Iterator, Sequence
from functools import partial

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged, Logits, evaluate_runs, judge_runs, spans
from worker.engine.losses import Tally
from worker.engine.pass_state import SLICE_PASS
from worker.engine.seed_batches import SeedBatches
from worker.engine.single.step import SingleSlot

_UNITS = 512  # units whose logits are computed at once: a vocabulary of 50,000 makes 100 MB of them


def evaluate(slot: SingleSlot, data: SeedBatches) -> Judged:
    """All that one evaluation counts."""
    return evaluate_runs(partial(_logits, slot), slot.arm.task, [slot], data)[0]


def judge(slot: SingleSlot, batches: Sequence[Batch]) -> Tally:
    """Losses and predictions of `batches` with dropout off."""
    return judge_runs(partial(_logits, slot), slot.arm.task, 1, batches)[0]


def _logits(slot: SingleSlot, batch: Batch, also_on: bool) -> Iterator[Logits]:
    host = slot.host
    features = host.features(batch, slot.adapters, None)
    drops = slot.drops(batch, slot.progress.step, SLICE_PASS) if also_on else None
    dropped = None if drops is None else host.features(batch, slot.adapters, drops)
    for span in spans(len(batch.examples), _UNITS):
        off, on = host.logits(features[span], slot.head, None)[None], None
        if drops is not None and dropped is not None:
            drops.units = span
            on = host.logits(dropped[span], slot.head, drops)[None]
        yield Logits(span, batch.labels[span], off, on)
