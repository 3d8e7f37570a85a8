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
    out_of_patience = training.patience is not None and progress.waited >= training.patience
    progress.early = out_of_patience and progress.step < slot.steps
    return best


def stopped_early(slot: Slot) -> str | None:
    """The sentence about a run that ended before its last step for want of improvement; None of any other."""
    training, progress = slot.arm.training, slot.progress
    if not progress.early:
        return None
    what = "loss" if training.keep_by == "loss" else _FIRST_SCORE[slot.arm.task]
    by = f" by more than {training.min_delta:g}" if training.min_delta else ""
    times = "evaluation" if progress.waited == 1 else f"{progress.waited} evaluations"
    return (
        f"Stopped early at step {progress.step} of {slot.steps}: the validation {what} did not improve{by} in the last "
        f"{times}; it was best at step {progress.best_step}."
    )


def _height(slot: Slot, values: Mapping[str, float]) -> float:
    """What a run is kept by, lower the better."""
    if slot.arm.training.keep_by == "loss":
        value = values["validation/loss"]
    else:
        value = -values[f"validation/{_FIRST_SCORE[slot.arm.task]}"]
    return math.inf if math.isnan(value) else value
