"""A study's evaluations as one (runs × steps) array a quantity for each arm, and which runs count in its means."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from backend.shared.metrics import METRICS, Derived
from backend.shared.run_status import FailureCode

from .clocks import NOWHERE, at, crossfitted, first_best
from .divergence import ends_far_above
from .records import ArmRecord, Floats, Ints, RunRecord, StudyRecords

HALF_A, HALF_B, STOPPED_TEST = "validation_a/", "validation_b/", "test_stopped/"
SCORES = ("accuracy", "pearson")  # what "by score" keeps a run by: the first one that the task has


@dataclass(frozen=True)
class ArmGrid:
    """One arm's evaluations. runs: R runs in order of seed.  step: S steps at which any of them was evaluated.

    values: float64 [R, S] by metric, NaN where missing or not finite.  epoch: float64 [R, S].  before: float64 [R] by
    metric, as measured before the first step; that is no step of `step`, but for arms that start from an adapter.
    """

    arm: ArmRecord
    runs: tuple[RunRecord, ...]
    step: Ints
    epoch: Floats
    values: Mapping[str, Floats]
    before: Mapping[str, Floats] = field(default_factory=dict)

    def quantity(self, name: str) -> Floats:
        """Return a metric or a derived quantity as float64 [R, S]; all NaN where it was never recorded."""
        derived = _derived(name)
        if derived is None:
            return self.recorded(name)
        values = self.quantity(derived.of)
        if derived.minus is not None:
            values = values - self.quantity(derived.minus)
        return _raised(values) if derived.exponential else values

    def recorded(self, name: str) -> Floats:
        """Return what was recorded under a name as float64 [R, S]; all NaN where nothing was."""
        found = self.values.get(name)
        return np.full(self.epoch.shape, np.nan) if found is None else found

    @cached_property
    def final_step(self) -> int | None:
        """Return the last step at which any succeeded run was evaluated: where the arm's final values are read."""
        rows = [i for i, run in enumerate(self.runs) if run.status == "succeeded"]
        evaluated = np.isfinite(self.epoch[rows]).any(axis=0)
        return int(self.step[evaluated][-1]) if evaluated.any() else None

    @cached_property
    def stops_early(self) -> bool:
        """Return whether its runs may end before their last step, each at a step of its own."""
        return self.arm.spec.get("training", {}).get("patience") is not None

    def as_long_as(self, other: "ArmGrid") -> bool:
        """Return whether runs of both arms are planned over the same steps: an arm may have epochs of its own."""
        return self.arm.epochs == other.arm.epochs

    @cached_property
    def last(self) -> Ints:
        """Return the column where each of the R runs ends: that of the final step, of a run that may stop early its
        own last evaluation. Needs a final step.
        """
        assert self.final_step is not None
        ends = np.full(len(self.runs), np.searchsorted(self.step, self.final_step))
        evaluated = np.isfinite(self.epoch)
        if self.stops_early:
            own = len(self.step) - 1 - evaluated[:, ::-1].argmax(axis=1)
            ends = np.where(evaluated.any(axis=1), np.minimum(own, ends), ends)
        return ends.astype(np.int64)

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
        """Return the rows of the runs that diverged: they failed since their loss was no number, ended with one, or
        ended far above where they began.
        """
        return tuple(i for i, run in enumerate(self.runs) if self._diverged(i, run))

    def _diverged(self, i: int, run: RunRecord) -> bool:
        if run.status != "succeeded":
            return run.status == "failed" and run.failure_code == FailureCode.LOSS_NAN
        if self.final_step is None:
            return False
        end = int(self.last[i])
        return bool(np.isfinite(self.epoch[i, end])) and self._why_diverged(i, end) is not None

    def _why_diverged(self, i: int, end: int) -> str | None:
        title = self._not_a_number(i, end)
        if title is not None:
            return f"its {title} at step {self.step[end]} is not a number"
        if not self._far_above[i]:
            return None
        loss = self.quantity("validation/loss")[i, end]
        return f"its losses end far above where they began (validation loss {loss:.3g})"

    @cached_property
    def _far_above(self) -> NDArray[np.bool_]:
        """Return for each run whether both its losses end far above where they began. Needs a final step."""
        squared = self.arm.spec.get("task") == "regression"
        losses = (self.quantity(name) for name in ("validation/loss", "probe/loss"))
        validation, probe = (ends_far_above(values, self.last, squared=squared) for values in losses)
        return validation & probe

    def _not_a_number(self, i: int, at: int) -> str | None:
        """Return the first of the two losses that is not finite at an evaluation."""
        for name, title in (("validation/loss", "validation loss"), ("probe/loss", "probe loss")):
            if not np.isfinite(self.quantity(name)[i, at]):
                return title
        return None

    def column(self, name: str, step: int) -> Floats:
        """Return a quantity of all R runs at one step, NaN for runs that are not finished. Needs a step of
        `self.step`. A run that stopped early before it is read where it stopped.
        """
        values = np.full(len(self.runs), np.nan)
        rows = list(self.finished)
        if rows:
            place = np.searchsorted(self.step, step)
            columns = np.minimum(place, self.last[rows]) if self.stops_early else place
            values[rows] = self.quantity(name)[rows, columns]
        return values

    @cached_property
    def kept_by(self) -> str:
        """Return what a run's kept evaluation is chosen by: "loss", or the task's first score."""
        training = self.arm.spec.get("training", {})
        scores = [name for name in SCORES if np.isfinite(self.recorded(HALF_A + name)).any()]
        return scores[0] if training.get("keep_by") == "score" and scores else "loss"

    @cached_property
    def chosen(self) -> tuple[Ints, Ints] | None:
        """Return where half A and half B of the validation rows would stop each of the R runs, as columns of its
        arrays; None where no run recorded its halves.
        """
        a, b = (self.recorded(half + self.kept_by) for half in (HALF_A, HALF_B))
        both = np.isfinite(a) & np.isfinite(b)
        if not both.any():
            return None
        higher = self.kept_by != "loss"
        return (
            first_best(np.where(both, a, np.nan), higher=higher),
            first_best(np.where(both, b, np.nan), higher=higher),
        )

    @cached_property
    def stopped_steps(self) -> Floats:
        """Return the step of each run's kept evaluation, float64 [R]: as recorded, else its best one by all
        validation rows; NaN for runs that are not finished, or recorded no halves.
        """
        if self.chosen is None or self.final_step is None:
            return np.full(len(self.runs), np.nan)
        best = first_best(self.quantity("validation/" + self.kept_by), higher=self.kept_by != "loss")
        step = at(np.broadcast_to(self.step.astype(np.float64), self.epoch.shape), best)
        step = np.where(self.chosen[0] == NOWHERE, np.nan, step)
        told = self._at_end("stopped_step")
        return self._of_finished(np.where(np.isfinite(told), told, step))

    def stopped(self, name: str) -> Floats:
        """Return a quantity of all R runs had each been stopped at its best evaluation; NaN where it is not known.

        Test rows: as measured with the kept adapter. Anything else: chosen on one half of the validation rows,
        reported on the other. A quantity of the validation rows that was recorded for no half is not known.
        """
        nothing = np.full(len(self.runs), np.nan)
        if self.chosen is None or self.final_step is None:
            return nothing
        derived = _derived(name)
        if derived is not None:
            value = self.stopped(derived.of)
            value = value if derived.minus is None else value - self.stopped(derived.minus)
            return _raised(value) if derived.exponential else value
        split, _, quantity = name.partition("/")
        if split == "test":
            return self._of_finished(self._at_end(STOPPED_TEST + quantity))
        halves = (HALF_A + quantity, HALF_B + quantity) if split == "validation" else (name, name)
        a, b = (self.recorded(half) for half in halves)
        return self._of_finished(crossfitted(a, b, *self.chosen))

    def _at_end(self, name: str) -> Floats:
        """Return what each run recorded with its last evaluation."""
        return at(self.recorded(name), self.last)

    def _of_finished(self, values: Floats) -> Floats:
        return np.where(self._is_finished, values, np.nan)

    @cached_property
    def _is_finished(self) -> NDArray[np.bool_]:
        return np.array([reason is None for reason in self.exclusions], np.bool_)

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
        end = int(self.last[i])
        if not np.isfinite(self.epoch[i, end]):
            return f"it has no evaluation at step {self.final_step}"
        return self._why_diverged(i, end)


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
    measured = {name: array for name, array in table.metrics.items() if np.isfinite(array).any()}
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
        values = {name: _spread(array[mine], row, column, shape) for name, array in measured.items()}
        runs = tuple(records.runs[index] for index in rows[i])
        before: dict[str, Floats] = {}
        if len(step) and step[0] == 0:
            before = {name: array[:, 0] for name, array in values.items()}
            if not arm.spec.get("start_from"):  # a fresh adapter is nothing that a run could have been stopped at
                step, epoch = step[1:], epoch[:, 1:]
                values = {name: array[:, 1:] for name, array in values.items()}
        grids.append(ArmGrid(arm, runs, step.astype(np.int64), epoch, values, before))
    return tuple(grids)


def _derived(name: str) -> Derived | None:
    known = METRICS.get(name)  # a metric of a further data set is not in the table
    return None if known is None else known.derived


def _raised(values: Floats) -> Floats:
    with np.errstate(over="ignore"):  # a perplexity beyond the largest float is shown as missing
        raised = np.exp(values)
    return np.where(np.isfinite(raised), raised, np.nan)


def _spread(values: Floats, row: Ints, column: Ints, shape: tuple[int, int]) -> Floats:
    spread = np.full(shape, np.nan)
    spread[row, column] = np.where(np.isfinite(values), values, np.nan)
    return spread
