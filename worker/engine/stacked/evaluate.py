"""Evaluation of all lanes at once: from a batch to the logits of its units in every lane."""

from collections.abc import Iterator, Sequence
from functools import partial

from worker.engine.batches import Batch
from worker.engine.evaluate import Judged, Logits, evaluate_runs, judge_runs, spans
from worker.engine.losses import Tally
from worker.engine.pass_state import SLICE_PASS
from worker.engine.seed_batches import SeedBatches
from worker.engine.stacked.stack import Stack

_UNITS = 4096  # units of all lanes whose logits are computed at once: a vocabulary of 50,000 makes 800 MB of them


def evaluate_stack(stack: Stack, data: SeedBatches) -> list[Judged]:
    """All that one evaluation counts, by slot."""
    return evaluate_runs(partial(_logits, stack), stack.task, stack.slots, data)


def judge_stack(stack: Stack, batches: Sequence[Batch]) -> list[Tally]:
    """Losses and predictions of `batches` with dropout off, by slot."""
    return judge_runs(partial(_logits, stack), stack.task, stack.shape.slots, batches)


def _logits(stack: Stack, batch: Batch, also_on: bool) -> Iterator[Logits]:
    read, lanes = stack.read(batch), stack.every
    features = stack.features(read, lanes, None)
    drops = stack.drops(read, lanes, stack.step, SLICE_PASS) if also_on else None
    dropped = None if drops is None else stack.features(read, lanes, drops)
    for span in spans(len(batch.examples), max(1, _UNITS // stack.shape.slots)):
        off, on = stack.logits(features[:, span], lanes, None), None
        if drops is not None and dropped is not None:
            drops.units = span
            on = stack.logits(dropped[:, span], lanes, drops)
        yield Logits(span, read.labels[span], off, on)
