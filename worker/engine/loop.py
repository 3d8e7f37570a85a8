"""Trains a pack: every slot steps in turn, evaluates, checkpoints and ends, without touching the others."""

import math
import time
from collections.abc import Callable, Sequence

from backend.shared.run_status import FailureCode
from backend.shared.schedule import epoch_of
from backend.shared.trainer_protocol import Cancel, Command, Drain
from worker.engine.checkpoint import write_checkpoint
from worker.engine.evaluate import measured, told
from worker.engine.failures import Failure, explain, is_out_of_memory
from worker.engine.place import Ended, Place
from worker.engine.single.evaluate import evaluate, judge
from worker.engine.single.step import SingleSlot

BAD_STEPS = 5  # losses in a row that are not a number end a run

Commands = Callable[[], Sequence[Command]]  # what has been asked for since the last look
Finish = Callable[[Place], Ended]  # exports the adapter


def train(places: list[Place], commands: Commands, finish: Finish, checkpoint_s: float) -> bool:
    """Train all places to their ends and empty the list as they end; return False where a drain stopped the pack.

    Out of memory is raised; the places that have not ended are then still in the list.
    """
    saved_at = time.monotonic()
    while places:
        for place in list(places):
            if not _obey(places, commands()):
                return False
            if place in places and _turn(place, finish):
                places.remove(place)
        if time.monotonic() - saved_at >= checkpoint_s:
            for place in places:
                save(place)
            saved_at = time.monotonic()
    return True


def save(place: Place) -> None:
    """Checkpoint a place, unless nothing happened since the last time."""
    slot = place.slot
    if place.saved == place.step:
        return
    folder = write_checkpoint(slot.folder, slot.progress, slot.arm.key(), slot.seed, slot.state())
    place.saved = place.step
    place.reporter.checkpoint(place.step, folder)


def _obey(places: list[Place], asked: Sequence[Command]) -> bool:
    for command in asked:
        if isinstance(command, Drain):
            for place in places:
                save(place)
                place.reporter.drained(place.step)
            places.clear()
            return False
        if isinstance(command, Cancel):
            for place in list(places):
                if (place.slot.run.run_id, place.slot.run.fence) == (command.run_id, command.fence):
                    place.reporter.cancelled(place.step)
                    places.remove(place)
    return True


def _turn(place: Place, finish: Finish) -> bool:
    """Advance one place; an exception ends that run alone, except that out of memory concerns the whole pack."""
    try:
        return _advance(place, finish)
    except Exception as error:
        if is_out_of_memory(error):
            raise
        place.reporter.fail(explain(error))
        return True


def _advance(place: Place, finish: Finish) -> bool:
    """Take one step (and what is due after it); return whether the run has ended."""
    slot, progress = place.slot, place.slot.progress
    assert isinstance(slot, SingleSlot)
    if place.first_is_due:
        place.judged_first = True
        place.reporter.evaluation(0, 0.0, measured(slot, evaluate(slot, place.data)))
    if place.step < slot.steps:  # else it was resumed at its last step and evaluated before
        begun = time.perf_counter()
        loss = slot.train_step(place.data.batch(place.step))
        seconds = time.perf_counter() - begun
        progress.seconds += seconds
        progress.losses.append(loss)
        progress.bad_steps = 0 if math.isfinite(loss) else progress.bad_steps + 1
        place.reporter.step(place.step, loss, seconds)
        if not _after_step(place):
            return True
    if place.step >= slot.steps:
        place.reporter.finished(place.step, *finish(place))
        return True
    return False


def _after_step(place: Place) -> bool:
    """Evaluate and checkpoint where that is due; return whether the run can go on."""
    slot = place.slot
    assert isinstance(slot, SingleSlot)
    failing = slot.progress.bad_steps >= BAD_STEPS
    due = place.step in place.evaluate_at
    if due or failing:
        judged = evaluate(slot, place.data)
        values = measured(place.slot, judged)
        if place.step >= place.slot.steps:
            place.validation = judged.validation
            values |= told("test", place.slot, judge(slot, place.data.test)) if place.data.test else {}
            values |= place.at_end(place)
        epoch = epoch_of(place.step, place.data.train_rows, place.slot.arm.training)
        place.reporter.evaluation(place.step, epoch, values)
        place.slot.progress.losses.clear()
    if failing:
        place.reporter.fail(
            Failure(
                FailureCode.LOSS_NAN,
                f"The training loss was not a number at {BAD_STEPS} steps in a row, the last one step {place.step}. "
                "Lower the learning rate or the dropout rate.",
            )
        )
        return False
    if due:
        save(place)
    return True
