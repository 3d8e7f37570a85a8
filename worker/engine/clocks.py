"""The two clocks of a run: its last evaluation, and the one with the best validation value, whose adapter is kept."""

import math
from collections.abc import Mapping

from worker.engine.slot import Slot

_FIRST_SCORE = {"classification": "accuracy", "regression": "pearson", "causal_lm": "accuracy"}


def note(slot: Slot, values: Mapping[str, float]) -> bool:
    """Take note of an evaluation at the slot's step: what it trains is kept where this is the best so far; say so.

    Of equal evaluations the first is the best; a value that is no number is worse than any that is one.
    """
    training, progress = slot.arm.training, slot.progress
    value = _height(slot, values)
    best = progress.best_step < 0 or value < progress.best
    if best:
        progress.best_step, progress.best, progress.best_loss = progress.step, value, values["validation/loss"]
        slot.kept = slot.parameters.values.clone()
    if value < progress.bar - training.min_delta:
        progress.bar, progress.waited = value, 0
    else:
        progress.waited += 1
    return best


def _height(slot: Slot, values: Mapping[str, float]) -> float:
    """What a run is kept by, lower the better."""
    if slot.arm.training.keep_by == "loss":
        value = values["validation/loss"]
    else:
        value = -values[f"validation/{_FIRST_SCORE[slot.arm.task]}"]
    return math.inf if math.isnan(value) else value
