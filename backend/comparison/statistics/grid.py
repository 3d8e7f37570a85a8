"""A study's evaluations as one (runs × steps) array a quantity for each arm, and which runs count in its means."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backend.shared.metrics import METRICS
from backend.shared.run_status import FailureCode

from .records import ArmRecord, Floats, Ints, RunRecord, StudyRecords


@dataclass(frozen=True)
class ArmGrid:
    """One arm's evaluations. runs: R runs in order of seed.  step: S steps at which any of them was evaluated.

    values: float64 [R, S] by metric, NaN where missing or not finite.  epoch: float64 [R, S].
    """

    arm: ArmRecord
    runs: tuple[RunRecord, ...]
    step: Ints
    epoch: Floats
    values: Mapping[str, Floats]

    def quantity(self, name: str) -> Floats:
        """Return a metric or a derived quantity as float64 [R, S]; all NaN where it was never recorded."""
        derived = METRICS[name].derived
        if derived is None:
            found = self.values.get(name)
            return np.full(self.epoch.shape, np.nan) if found is None else found
        values = self.quantity(derived.of)
        if derived.minus is not None:
            values = values - self.quantity(derived.minus)
        if derived.exponential:
            with np.errstate(over="ignore"):  # a perplexity beyond the largest float is shown as missing
                raised = np.exp(values)
            values = np.where(np.isfinite(raised), raised, np.nan)
        return values

    @cached_property
    def final_step(self) -> int | None:
        """Return the last step at which any succeeded run was evaluated: where the arm's final values are read."""
        rows = [i for i, run in enumerate(self.runs) if run.status == "succeeded"]
        evaluated = np.isfinite(self.epoch[rows]).any(axis=0)
        return int(self.step[evaluated][-1]) if evaluated.any() else None

    @cached_property
    def in_curves(self) -> tuple[bool, ...]:
        """Return for each run whether it is in the means over the seeds at each step: all but failed runs."""
        return tuple(run.status != "failed" for run in self.runs)

    @cached_property
    def exclusions(self) -> tuple[str | None, ...]:
        """Return for each run why it is not in the arm's final values, None where it is."""
        return tuple(self._exclusion(i) for i in range(len(self.runs)))

    @cached_property
    def finished(self) -> tuple[int, ...]:
        """Return the rows of the runs that are in the arm's final values."""
        return tuple(i for i, reason in enumerate(self.exclusions) if reason is None)

    @cached_property
    def diverged(self) -> tuple[int, ...]:
        """Return the rows of the runs that diverged: they failed since their loss was no number, or ended with one."""
        return tuple(i for i, run in enumerate(self.runs) if self._diverged(i, run))

    def _diverged(self, i: int, run: RunRecord) -> bool:
        if run.status != "succeeded":
            return run.status == "failed" and run.failure_code == FailureCode.LOSS_NAN
        if self.final_step is None:
            return False
        at = int(np.searchsorted(self.step, self.final_step))
        return bool(np.isfinite(self.epoch[i, at])) and self._not_a_number(i, at) is not None

    def _not_a_number(self, i: int, at: int) -> str | None:
        """Return the first of the two losses that is not finite at an evaluation."""
        for name, title in (("validation/loss", "validation loss"), ("probe/loss", "probe loss")):
            if not np.isfinite(self.quantity(name)[i, at]):
                return title
        return None

    def column(self, name: str, step: int) -> Floats:
        """Return a quantity of all R runs at one step, NaN for runs that are not finished. Needs a step of
        `self.step`.
        """
        at = int(np.searchsorted(self.step, step))
        values = np.full(len(self.runs), np.nan)
        rows = list(self.finished)
        values[rows] = self.quantity(name)[rows, at]
        return values

    def _exclusion(self, i: int) -> str | None:
        run = self.runs[i]
        if run.status == "failed":
            why = run.message or (run.failure_code or "no reason recorded").replace("_", " ")
            return f"failed: {why}"
        if run.status == "cancelled":
            return f"cancelled at step {run.step}"
        if run.status != "succeeded":
            return f"{run.status}, not finished yet"
        if self.final_step is None:
            return "it was never evaluated"
        at = int(np.searchsorted(self.step, self.final_step))
        if not np.isfinite(self.epoch[i, at]):
            return f"it has no evaluation at step {self.final_step}"
        title = self._not_a_number(i, at)
        return None if title is None else f"its {title} at step {self.final_step} is not a number"


def align(records: StudyRecords) -> tuple[ArmGrid, ...]:
    """Return one grid for each arm, in the order of `records.arms`."""
    arm_of = {arm.id: i for i, arm in enumerate(records.arms)}
    rows: list[list[int]] = [[] for _ in records.arms]
    for index, run in enumerate(records.runs):
        if run.arm_id in arm_of:
            rows[arm_of[run.arm_id]].append(index)
    for members in rows:
        members.sort(key=lambda index: records.runs[index].seed)
    arm_of_run = np.full(len(records.runs), -1, np.int64)
    row_of_run = np.zeros(len(records.runs), np.int64)
    for i, members in enumerate(rows):
        arm_of_run[members] = i
        row_of_run[members] = np.arange(len(members))

    table = records.evaluations
    arm_of_evaluation = arm_of_run[table.run]
    order = np.argsort(arm_of_evaluation, kind="stable")
    bounds = np.searchsorted(arm_of_evaluation[order], np.arange(len(records.arms) + 1))
    grids = []
    for i, arm in enumerate(records.arms):
        mine = order[bounds[i] : bounds[i + 1]]
        step, column = np.unique(table.step[mine], return_inverse=True)
        row = row_of_run[table.run[mine]]
        shape = (len(rows[i]), len(step))
        epoch = _spread(table.epoch[mine], row, column, shape)
        values = {name: _spread(array[mine], row, column, shape) for name, array in table.metrics.items()}
        runs = tuple(records.runs[index] for index in rows[i])
        grids.append(ArmGrid(arm, runs, step.astype(np.int64), epoch, values))
    return tuple(grids)


def _spread(values: Floats, row: Ints, column: Ints, shape: tuple[int, int]) -> Floats:
    spread = np.full(shape, np.nan)
    spread[row, column] = np.where(np.isfinite(values), values, np.nan)
    return spread
