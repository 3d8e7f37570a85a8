"""Which seed's adapter to take of an arm: picked by a rule that is told, on rows that do not report it."""

import numpy as np

from backend.comparison import schema
from backend.comparison.statistics.grid import HALF_A, HALF_B, ArmGrid
from backend.comparison.words import plain, several


def take(grid: ArmGrid, clock: schema.Clock) -> schema.Take | None:
    """Return the finished run with the lowest loss on half A of the validation rows at its step of `clock`; by all
    validation rows where halves were not recorded. None before a run has finished.
    """
    if not grid.finished or grid.final_step is None:
        return None
    steps = grid.stopped_steps if clock == "stopped" else grid.step[grid.last].astype(np.float64)
    halves = bool(np.isfinite(grid.recorded(HALF_A + "loss")).any())
    chosen_by = grid.recorded(HALF_A + "loss") if halves else grid.quantity("validation/loss")
    found = []
    for i in grid.finished:
        if not np.isfinite(steps[i]):
            continue
        at = int(np.searchsorted(grid.step, steps[i]))
        if at < len(grid.step) and grid.step[at] == steps[i] and np.isfinite(chosen_by[i, at]):
            found.append((float(chosen_by[i, at]), i, at))
    if not found:
        return None
    lowest, i, at = min(found)
    run, step = grid.runs[i], int(grid.step[at])
    where = f"at the step of its best evaluation, {step:,}," if clock == "stopped" else f"at its last step, {step:,},"
    of = f"of {several(len(found), 'seed')}" if len(found) > 1 else "of the one seed"
    if halves:
        other = plain(float(grid.recorded(HALF_B + "loss")[i, at]))
        rule = (
            f"Seed {run.seed}: {where} it has the lowest loss {of} on half A of the validation rows ({plain(lowest)}); "
            f"half B, which did not pick it, says {other}."
        )
    else:
        rule = (
            f"Seed {run.seed}: {where} it has the lowest validation loss {of} ({plain(lowest)}); picked on the rows "
            "that report it, so that number flatters."
        )
    return schema.Take(run_id=run.id, seed=run.seed, clock=clock, step=step, rule=rule)
