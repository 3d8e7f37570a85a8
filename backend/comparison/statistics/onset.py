"""Overfitting onset: where a run's validation loss turns up for good while the probe loss keeps falling.

Per run, unsmoothed: the step of the validation minimum, if validation loss stays above that minimum + 1 standard
error (over the validation examples, taken at the minimum) at every later evaluation, two of them at least, and the
probe loss of every later evaluation lies below the probe loss at the minimum. Per arm: the median over the runs
that have one, and k of n.
"""

from dataclasses import dataclass

import numpy as np

from .records import Floats, Ints


@dataclass(frozen=True)
class RunOnsetResult:
    """The step, or None with the reason."""

    step: int | None
    reason: str


def run_onset(step: Ints, validation: Floats, validation_se: Floats, probe: Floats) -> RunOnsetResult:
    """Return the onset of one run; all four of shape [evaluations], steps ascending. Evaluations with a NaN loss
    are left out.
    """
    usable = np.isfinite(validation) & np.isfinite(probe)
    step, validation, validation_se, probe = step[usable], validation[usable], validation_se[usable], probe[usable]
    if len(step) < 3:
        return RunOnsetResult(None, "fewer than three evaluations")
    lowest = int(np.argmin(validation))
    later = slice(lowest + 1, None)
    if len(step) - lowest - 1 < 2:
        return RunOnsetResult(None, "validation loss is lowest at the end, with fewer than two evaluations after it")
    if not np.isfinite(validation_se[lowest]):
        return RunOnsetResult(None, "the standard error of the validation loss is missing")
    if not np.all(validation[later] > validation[lowest] + validation_se[lowest]):
        return RunOnsetResult(None, "validation loss does not stay one standard error above its minimum")
    if not np.all(probe[later] < probe[lowest]):
        return RunOnsetResult(None, "the probe loss does not keep falling after the validation minimum")
    return RunOnsetResult(
        int(step[lowest]), "validation loss stays above its minimum here while the probe loss keeps falling"
    )


def median_onset(onsets: list[RunOnsetResult]) -> float | None:
    """Return the median step over the runs that have an onset, None where none has."""
    steps = [onset.step for onset in onsets if onset.step is not None]
    return float(np.median(steps)) if steps else None
