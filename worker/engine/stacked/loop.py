"""Trains the runs of a stack: all step together, evaluate, checkpoint and end, and none disturbs the others.

The device is never waited for within a step: losses stay there and are read every LOSS_STEPS steps, and before
anything that has to know where the runs stand.
"""

import math
import time
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from backend.shared.run_status import FailureCode
from backend.shared.schedule import epoch_of
from backend.shared.trainer_protocol import Cancel, Command, Drain
from worker.engine.evaluate import measured, told
from worker.engine.failures import Failure, explain, is_out_of_memory
from worker.engine.loop import BAD_STEPS, Commands, save
from worker.engine.place import Ended, Place
from worker.engine.stacked.evaluate import evaluate_stack, judge_stack
from worker.engine.stacked.stack import Stack

LOSS_STEPS = 8

FinishAll = Callable[[Sequence[Place]], Sequence[Callable[[], Ended]]]


class StackLoop:
    """One stack with its places, in the order of its slots; `places` loses each run as it ends."""

    def __init__(self, stack: Stack, places: list[Place], checkpoint_s: float) -> None:
        self.stack, self.places, self.checkpoint_s = stack, places, checkpoint_s
        self._seats = dict(enumerate(places))
        self._pending: list[Tensor] = []
        self._read_at = self._saved_at = time.monotonic()
        self._total = places[0].slot.steps
        self._data = places[0].data

    def train(self, commands: Commands, finish: FinishAll) -> bool:
        """Train all to their ends; return False where a drain stopped them.

        finish: prepares the ends of some runs together and returns one call a run, which exports it. Out of memory is
        raised; the runs that have not ended are then still in `places`.
        """
        first = True
        while self.places:
            if not self._obey(commands()):
                return False
            if not self.places:
                break
            if any(place.first_is_due for place in self.places):
                self._judge_first()
            if self.stack.step < self._total:
                self._pending.append(self.stack.train_step(self._data.batch(self.stack.step)))
                due = any(self.stack.step in place.evaluate_at for place in self.places)
                if first or due or self.stack.step % LOSS_STEPS == 0:
                    self._read()
                first = False
                if due:
                    self._evaluate()
            if self.stack.step >= self._total:
                self._read()
                self._finish(finish)
            elif time.monotonic() - self._saved_at >= self.checkpoint_s:
                self._read()
                self._save()
        return True

    def _obey(self, asked: Sequence[Command]) -> bool:
        for command in asked:
            if isinstance(command, Drain):
                self._read()
                self._save()
                for place in self.places:
                    place.reporter.drained(place.step)
                self.places.clear()
                return False
            if isinstance(command, Cancel):
                self._read()
                for at, place in list(self._seats.items()):
                    if (place.slot.run.run_id, place.slot.run.fence) == (command.run_id, command.fence):
                        place.reporter.cancelled(place.step)
                        self._leave(at)
        return True

    def _read(self) -> None:
        """Bring the losses of the steps since the last time; runs whose losses are no numbers for long end here."""
        if not self._pending:
            return
        rows = torch.stack(self._pending).tolist()
        now = time.monotonic()
        seconds = (now - self._read_at) / len(rows) / max(1, len(self._seats))  # a run's share of a step
        self._read_at = now
        first = self.stack.step - len(rows)
        self._pending.clear()
        for at, place in list(self._seats.items()):
            slot, progress = place.slot, place.slot.progress
            for offset, row in enumerate(rows):
                loss, batch = row[at], self._data.batch(first + offset)
                slot.count(batch)
                progress.seconds += seconds
                progress.losses.append(loss)
                progress.bad_steps = 0 if math.isfinite(loss) else progress.bad_steps + 1
                place.reporter.step(place.step, loss, seconds)
                if progress.bad_steps >= BAD_STEPS:
                    break  # what came after is of no use to anybody
        if any(place.slot.progress.bad_steps >= BAD_STEPS for place in self.places):
            self._fail()

    def _fail(self) -> None:
        """End the runs whose losses are no numbers; the last evaluation shows it."""
        judged = evaluate_stack(self.stack, self._data)
        self.stack.read_norms()
        for at, place in list(self._seats.items()):
            if place.slot.progress.bad_steps < BAD_STEPS:
                continue
            values = measured(place.slot, judged[at])
            place.reporter.evaluation(place.step, self._epoch(place), values)
            place.reporter.fail(
                Failure(
                    FailureCode.LOSS_NAN,
                    f"The training loss was not a number at {BAD_STEPS} steps in a row, the last one step "
                    f"{place.step}. Lower the learning rate or the dropout rate.",
                )
            )
            self._leave(at)
        self._read_at = time.monotonic()

    def _judge_first(self) -> None:
        judged = evaluate_stack(self.stack, self._data)
        for at, place in self._seats.items():
            if place.first_is_due:
                place.judged_first = True
                place.reporter.evaluation(0, 0.0, measured(place.slot, judged[at]))
        self._read_at = time.monotonic()

    def _evaluate(self) -> None:
        due = [(at, place) for at, place in self._seats.items() if self.stack.step in place.evaluate_at]
        if not due:
            return
        judged = evaluate_stack(self.stack, self._data)
        self.stack.read_norms()
        ending = self.stack.step >= self._total
        tests = judge_stack(self.stack, self._data.test) if ending and self._data.test else []
        for at, place in due:
            values = measured(place.slot, judged[at])
            if ending:
                place.validation = judged[at].validation
                self.stack.store(at)
                values |= told("test", place.slot, tests[at]) if tests else {}
                values |= place.at_end(place)
            place.reporter.evaluation(place.step, self._epoch(place), values)
            place.slot.progress.losses.clear()
        self._save([at for at, _ in due])
        self._read_at = time.monotonic()

    def _save(self, seats: Sequence[int] | None = None) -> None:
        for at in self._seats if seats is None else seats:
            place = self._seats[at]
            if place.saved != place.step:
                self.stack.store(at)
                save(place)
        self._saved_at = self._read_at = time.monotonic()

    def _finish(self, finish: FinishAll) -> None:
        for at in self._seats:
            self.stack.store(at)
        seats = list(self._seats.items())
        for (at, place), end in zip(seats, finish([place for _, place in seats]), strict=True):
            try:
                place.reporter.finished(place.step, *end())
            except Exception as error:
                if is_out_of_memory(error):
                    raise
                place.reporter.fail(explain(error))
            self._leave(at)

    def _leave(self, at: int) -> None:
        self.places.remove(self._seats.pop(at))
        self.stack.vacate(at)

    def _epoch(self, place: Place) -> float:
        return epoch_of(place.step, place.data.train_rows, place.slot.arm.training)
