"""What a judge reads of an arm: one value a seed, turned so that lower is better, and its verdicts turned back."""

from dataclasses import replace

import numpy as np

from backend.comparison import schema
from backend.comparison.statistics.grid import ArmGrid
from backend.comparison.statistics.records import Floats
from backend.shared.metrics import METRICS

from .judge import Judged

_UNDEFINED = ("pearson", "spearman")  # no number where all predictions are one: nothing was learned


def values(grid: ArmGrid, metric: str, clock: schema.Clock, seeds: int) -> Floats:
    """Return the arm's values of the first seeds, [seeds]: inf where one diverged, NaN where it is lost or not trained
    yet.
    """
    found = np.full(seeds, np.nan)
    if grid.final_step is None:
        measured = np.full(len(grid.runs), np.nan)
    else:
        measured = grid.stopped(metric) if clock == "stopped" else grid.column(metric, grid.final_step)
    known, finished, diverged = METRICS[metric], set(grid.finished), set(grid.diverged)
    undefined = metric.partition("/")[2] in _UNDEFINED and bool(np.isfinite(measured).any())
    for i, run in enumerate(grid.runs):
        if not 0 <= run.seed < seeds:
            continue
        worst = i in diverged or (undefined and i in finished and not np.isfinite(measured[i]))
        found[run.seed] = np.inf if worst else -measured[i] if known.higher_is_better else measured[i]
    return found


def turned(one: Judged, metric: str) -> Judged:
    """A verdict in the metric's own direction."""
    if not METRICS[metric].higher_is_better:
        return one
    mean, lo, hi = (None if value is None else -value for value in (one.mean, one.lo, one.hi))
    return replace(one, mean=mean, lo=hi, hi=lo)
