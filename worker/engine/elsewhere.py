"""What runs are measured by on data sets beside their own: before their first step, and at every evaluation."""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol
from weakref import WeakKeyDictionary

from backend.shared.metrics import also_named
from backend.shared.specs import Task
from worker.engine.batches import Batch
from worker.engine.hooked_base import HookedBase
from worker.engine.losses import Tally
from worker.engine.slot import Slot

Values = dict[str, float]


class Judge(Protocol):
    """The part of a form that is needed here."""

    def judge(self, batches: Sequence[Batch]) -> Sequence[Tally]:
        """Losses and predictions with dropout off, by seat."""


class Elsewhere:
    """Rows of further data sets in batches, by data set; they are the same for all runs of a study."""

    def __init__(self, task: Task = "classification", sets: Mapping[str, Sequence[Batch]] | None = None) -> None:
        self._task: Task = task
        self._sets = dict(sets or {})
        self._of_base: WeakKeyDictionary[HookedBase, Values] = WeakKeyDictionary()

    def __bool__(self) -> bool:
        return bool(self._sets)

    def measure(self, form: Judge, seats: Collection[int]) -> dict[int, Values]:
        """What the runs on these seats make of the rows, by names of `also_named`."""
        found: dict[int, Values] = {seat: {} for seat in seats}
        for dataset_id, batches in self._sets.items() if seats else ():
            tallies = form.judge(batches)
            for seat in seats:
                found[seat] |= self._told(dataset_id, tallies[seat])
        return found

    def before(self, form: Judge, slots: Mapping[int, Slot]) -> dict[int, Values]:
        """The same before the first step.

        A fresh adapter adds nothing yet (LoRA's B is zero), and a language model has no new head: all such runs are the
        base model, which is measured once. Runs of one stack are measured together anyway.
        """
        slot = next(iter(slots.values()), None)
        if slot is None or len(slots) > 1 or not _is_base(slot):
            return self.measure(form, slots)
        if slot.host not in self._of_base:
            self._of_base[slot.host] = self.measure(form, slots)[next(iter(slots))]
        return {seat: dict(self._of_base[slot.host]) for seat in slots}

    def _told(self, dataset_id: str, tally: Tally) -> Values:
        found = {also_named(dataset_id, "loss"): tally.mean}
        if self._task == "classification":
            found[also_named(dataset_id, "accuracy")] = tally.accuracy or 0.0
        return found


def _is_base(slot: Slot) -> bool:
    """Whether a run that has taken no step is its base model, in a loop over slots: a stack has shapes of its own."""
    return slot.arm.task == "causal_lm" and slot.arm.start_from is None and slot.progress.stack is None
