"""Trains the groups of a pack: each steps in turn, is evaluated, checkpointed and ended, and none disturbs another.

A group is what takes its steps together, one run or a whole pack; its arithmetic is a `worker.engine.form.Form`.
"""

import math
import time
from collections.abc import Callable, Iterable, Sequence

from backend.shared.run_status import FailureCode
from backend.shared.schedule import epoch_of
from backend.shared.specs import Clock
from backend.shared.trainer_protocol import Cancel, Command, Drain
from worker.engine.clocks import note, stopped_early
from worker.engine.evaluate import measured, told, told_validation
from worker.engine.failures import Failure, explain, is_out_of_memory
from worker.engine.form import Form
from worker.engine.losses import Tally
from worker.engine.place import Ended, Place

BAD_STEPS = 5  # losses in a row that are not a number end a run

Commands = Callable[[], Sequence[Command]]  # what has been asked for since the last look
Ends = Callable[[Sequence[Place]], Sequence[Callable[[], Ended]]]  # prepares some ends together; each call exports one


class Group:
    """Runs of one seed that stand at the same step, by their seats; a run leaves as it ends."""

    def __init__(self, places: Sequence[Place], form: Form, ends: Ends) -> None:
        self._seats = dict(enumerate(places))
        self._form, self._ends = form, ends
        # Of the longest run: the steps of shorter ones are its first.
        self._data = max((place.data for place in places), key=lambda data: len(data.steps))
        self._evaluate_at = frozenset[int]().union(*(place.evaluate_at for place in places))
        self._begun = False
        self.saved_at = time.monotonic()

    @property
    def ended(self) -> bool:
        """Whether all runs have."""
        return not self._seats

    @property
    def places(self) -> list[Place]:
        """The runs that have not ended."""
        return list(self._seats.values())

    def advance(self) -> None:
        """Take one step, and what is due after it."""
        form, first = self._form, not self._begun
        if first:
            self._begin()
            self._finish()  # runs that were resumed at their end and evaluated before
        if self.ended:
            return
        form.take(self._data.batch(form.step))
        step = form.step
        due = step in self._evaluate_at
        if due or first or step % form.read_every == 0:
            self._read()
        if due:
            seats = [seat for seat, place in self._seats.items() if step in place.evaluate_at]
            self._evaluate(seats)
            self._write(seats)
            self._finish()

    def cancel(self, command: Cancel) -> None:
        """End the run that is meant, if it is here."""
        self._read()
        for seat, place in list(self._seats.items()):
            if (place.slot.run.run_id, place.slot.run.fence) == (command.run_id, command.fence):
                place.reporter.cancelled(place.step)
                self._leave(seat)

    def drain(self) -> None:
        """Checkpoint and let go of all runs."""
        self.save()
        for place in self._seats.values():
            place.reporter.drained(place.step)
        self._seats.clear()

    def fail(self, failure: Failure) -> None:
        """End all runs."""
        for place in self._seats.values():
            place.reporter.fail(failure)
        self._seats.clear()

    def save(self) -> None:
        """Checkpoint the runs, unless nothing happened to them since the last time."""
        self._read()
        for seat, place in self._seats.items():
            if place.saved != place.step:
                self._form.store(seat)
        self._write(self._seats)

    def _write(self, seats: Iterable[int]) -> None:
        """Checkpoint what the slots of these runs hold."""
        for seat in seats:
            place = self._seats[seat]
            if place.saved != place.step:
                place.save()
        self.saved_at = time.monotonic()

    def _begin(self) -> None:
        """Measure, before the first step, the adapters that runs start from; with further data sets, all runs.

        A fresh adapter is nothing that a run could have been stopped at: it is told and not taken note of, so that who
        also measures elsewhere keeps and stops what they would keep and stop otherwise.
        """
        self._begun = True
        fresh = {seat: place for seat, place in self._seats.items() if place.step == 0}
        begun = {seat: place for seat, place in fresh.items() if place.slot.arm.start_from}
        values: dict[int, dict[str, float]] = {}
        if begun:
            judged = self._form.evaluate(self._data)
            for seat, place in begun.items():
                values[seat] = measured(place.slot, judged[seat])
                self._note(place, values[seat], judged[seat].validation)
        if fresh and self._data.elsewhere:
            tallies = self._form.judge(self._data.validation) if len(begun) < len(fresh) else ()
            also = self._data.elsewhere.before(self._form, {seat: place.slot for seat, place in fresh.items()})
            for seat, place in fresh.items():
                own = values.get(seat) or told_validation(place.slot, tallies[seat])
                values[seat] = own | also[seat]
        for seat, found in values.items():
            self._seats[seat].reporter.evaluation(0, 0.0, found)

    def _read(self) -> None:
        """Note the losses of the steps since the last time; runs whose losses are no numbers for long end here."""
        bad = []
        for seat, losses in self._form.taken():
            place = self._seats[seat]
            progress = place.slot.progress
            for loss, seconds in losses:
                progress.seconds += seconds
                progress.losses.append(loss)
                progress.bad_steps = 0 if math.isfinite(loss) else progress.bad_steps + 1
                place.reporter.step(place.step, loss, seconds)
                if progress.bad_steps >= BAD_STEPS:
                    bad.append(seat)
                    break  # what came after is of no use to anybody
        judged = self._form.evaluate(self._data) if bad else []
        also = self._data.elsewhere.measure(self._form, bad)
        for seat in bad:
            place = self._seats[seat]
            self._tell(place, measured(place.slot, judged[seat]) | also[seat])  # the last evaluation shows it
            text = (
                f"The training loss was not a number at {BAD_STEPS} steps in a row, the last one step {place.step}. "
                "Lower the learning rate or the dropout rate."
            )
            place.reporter.fail(Failure(FailureCode.LOSS_NAN, text))
            self._leave(seat)

    def _evaluate(self, seats: Sequence[int]) -> None:
        """Say how the runs on `seats` do; those that end here are measured on the test rows, too."""
        judged = self._form.evaluate(self._data) if seats else []
        also = self._data.elsewhere.measure(self._form, seats)
        found = {seat: measured(self._seats[seat].slot, judged[seat]) | also[seat] for seat in seats}
        for seat, values in found.items():
            self._form.store(seat)
            self._note(self._seats[seat], values, judged[seat].validation)
        ending = [seat for seat in seats if self._seats[seat].over]
        tests = self._test(ending) if ending and self._data.test else {}
        for seat, values in found.items():
            place = self._seats[seat]
            if seat in ending:
                place.validation = judged[seat].validation
                place.record("last", "validation", judged[seat].validation)
                for clock, tally in tests.get(seat, {}).items():
                    values |= told("test" if clock == "last" else "test_stopped", place.slot, tally)
                    place.record(clock, "test", tally)
                values |= {"stopped_step": float(place.slot.progress.best_step), **place.at_end(place)}
            self._tell(place, values)

    def _note(self, place: Place, values: dict[str, float], validation: Tally) -> None:
        if note(place.slot, values):
            place.record("stopped", "validation", validation)

    def _test(self, seats: Sequence[int]) -> dict[int, dict[Clock, Tally]]:
        """The test rows as judged by the runs on `seats` with what they train, and with what they keep."""
        last = self._form.judge(self._data.test)
        kept = {seat: kept for seat in seats if (kept := self._seats[seat].slot.kept_elsewhere) is not None}
        stopped = self._form.judge_with(self._data.test, kept) if kept else last
        return {seat: {"last": last[seat], "stopped": (stopped if seat in kept else last)[seat]} for seat in seats}

    def _tell(self, place: Place, values: dict[str, float]) -> None:
        epoch = epoch_of(place.step, self._data.train_rows, place.slot.arm.training)
        place.reporter.evaluation(place.step, epoch, values)
        place.slot.progress.losses.clear()

    def _finish(self) -> None:
        """End the runs that are over, each exported by itself: what stops one stops no other, but for memory."""
        over = {seat: place for seat, place in self._seats.items() if place.over}
        ends = self._ends(list(over.values())) if over else ()
        for (seat, place), end in zip(over.items(), ends, strict=True):
            words = stopped_early(place.slot)
            if words is not None:
                place.reporter.log("info", words)
            try:
                place.reporter.finished(place.step, *end(), words)
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                place.reporter.fail(explain(error))
            self._leave(seat)

    def _leave(self, seat: int) -> None:
        del self._seats[seat]
        self._form.vacate(seat)


def train(groups: list[Group], commands: Commands, checkpoint_s: float) -> bool:
    """Train all groups to their ends and empty the list as they end; return False where a drain stopped the pack.

    Out of memory is raised; the groups whose runs have not ended are then still in the list.
    """
    while groups:
        for group in groups:
            if not _obey(groups, commands()):
                return False
            if not group.ended:
                _turn(group)
        groups[:] = [group for group in groups if not group.ended]
        now = time.monotonic()
        for group in groups:
            if now - group.saved_at >= checkpoint_s:
                group.save()
    return True


def _obey(groups: list[Group], asked: Sequence[Command]) -> bool:
    for command in asked:
        if isinstance(command, Drain):
            for group in groups:
                group.drain()
            groups.clear()
            return False
        if isinstance(command, Cancel):
            for group in groups:
                group.cancel(command)
    return True


def _turn(group: Group) -> None:
    """Advance a group; an exception ends it alone, except that out of memory concerns the whole pack."""
    try:
        group.advance()
    except Exception as error:
        if is_out_of_memory(error):
            raise
        group.fail(explain(error))
