"""Does an arm overfit, where and by how much: by the halves of its validation rows, or, without them, look by look."""

from typing import Literal

import numpy as np

from . import schema
from .arms import told
from .statistics.grid import HALF_A, HALF_B, ArmGrid
from .statistics.onset import median_onset, run_onset
from .statistics.records import Floats
from .statistics.rise import FEWEST, Rise, rise
from .words import amount, several

_State = Literal["rises", "not_shown", "unstable", "untold"]
_NOTHING = "No run has finished yet."
_STABLE = 0.5  # of the rise: more than this on training rows as well is no overfitting


def overfitting(grid: ArmGrid, x: Floats) -> schema.Overfitting:
    """Return what an arm's finished runs say; `x` are the positions of its steps, float64 [S]."""
    if grid.chosen is None:
        return _every_look(grid, x)
    rows = list(grid.finished)
    found = rise(grid.recorded(HALF_A + "loss")[rows], grid.recorded(HALF_B + "loss")[rows])
    if found is None:
        return schema.Overfitting(
            rule="halves",
            state="untold",
            amount=None,
            after=None,
            before=None,
            step=None,
            x=None,
            k=0,
            n=len(rows),
            runs=[],
            sentence="Fewer than three evaluations that all seeds have cannot tell." if rows else _NOTHING,
        )
    amounts = np.full(len(grid.runs), np.nan)
    amounts[rows] = found.amounts
    first, last = int(found.lowest[0]), int(found.lowest[-1])
    after = int(grid.step[first - 1]) if first else None
    before = int(grid.step[last + 1]) if last + 1 < len(grid.step) else None
    state = _state(found, grid.quantity("probe/loss")[rows])
    step = float(np.median(grid.step[found.lowest])) if state == "rises" else None
    return schema.Overfitting(
        rule="halves",
        state=state,
        amount=told(grid.runs, found.interval, amounts),
        after=after,
        before=before,
        step=step,
        x=_position(grid, x, step),
        k=int((found.amounts > 0).sum()),
        n=found.interval.n,
        runs=[],
        sentence=_sentence(found, state, after, before),
    )


def _state(found: Rise, probe: Floats) -> _State:
    interval = found.interval
    if interval.n < FEWEST:
        return "untold"
    if interval.mean is None or interval.lo is None or interval.lo <= 0:
        return "not_shown"
    learned = found.of(probe)
    return "unstable" if learned is not None and learned > _STABLE * interval.mean else "rises"


def _sentence(found: Rise, state: _State, after: int | None, before: int | None) -> str:
    interval = found.interval
    if interval.mean is None:
        return "Its runs ended before there was a low to compare their end with."
    size = amount(interval.mean, interval.half_width, "validation/loss")
    above = f"{size} {'above' if interval.mean > 0 else 'below'} its low"
    if state == "untold":
        return f"Validation loss ends {above} in {several(interval.n, 'seed')}: three are needed to tell."
    if state == "rises":
        return f"Validation loss is lowest {between(after, before)} and ends {size} higher."
    if state == "unstable":
        return f"Validation loss ends {above}, and the loss on training rows rises along: training becomes unstable."
    return f"Validation loss ends {above}: no lasting rise is shown."


def between(after: int | None, before: int | None) -> str:
    """Name the evaluations around the lowest one: nobody looked between them."""
    if after is None:
        return "at every evaluation" if before is None else f"before step {before:,}"
    return f"after step {after:,}" if before is None else f"between steps {after:,} and {before:,}"


def _every_look(grid: ArmGrid, x: Floats) -> schema.Overfitting:
    """Return the answer of studies without halves: it finds less the more often one looks."""
    validation, error = grid.quantity("validation/loss"), grid.quantity("validation/loss_se")
    probe = grid.quantity("probe/loss")
    results = [run_onset(grid.step, validation[i], error[i], probe[i]) for i in grid.finished]
    step = median_onset(results)
    k, n = sum(result.step is not None for result in results), len(results)
    if n == 0:
        sentence = _NOTHING
    elif step is None:
        sentence = f"Not reached in any of {several(n, 'seed')}." if n > 1 else "Not reached in the one seed."
    else:
        sentence = f"Overfits from step {step:g} on, in {k} of {several(n, 'seed')}."
    steps = grid.step.tolist()
    return schema.Overfitting(
        rule="every_look",
        state="untold" if n == 0 else "not_shown" if step is None else "rises",
        amount=None,
        after=None if step is None else max((one for one in steps if one < step), default=None),
        before=None if step is None else min((one for one in steps if one > step), default=None),
        step=step,
        x=_position(grid, x, step),
        k=k,
        n=n,
        runs=[
            schema.RunOnset(seed=grid.runs[i].seed, run_id=grid.runs[i].id, step=result.step, reason=result.reason)
            for i, result in zip(grid.finished, results, strict=True)
        ],
        sentence=sentence,
    )


def _position(grid: ArmGrid, x: Floats, step: float | None) -> float | None:
    """Return where a step lies in the unit of the curves."""
    known = np.isfinite(x)
    return None if step is None or not known.any() else float(np.interp(step, grid.step[known], x[known]))
