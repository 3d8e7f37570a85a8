"""One pack from its command to its end: slots set up or refused one by one, trained together, halved for memory."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Literal

from backend.shared.trainer_protocol import PackedRun, Start
from worker import models
from worker.engine.checkpoint import UnreadableCheckpoint, latest_checkpoint, read_checkpoint
from worker.engine.ending import finish, finish_stack, generated
from worker.engine.failures import explain, is_out_of_memory
from worker.engine.loaded import Warm
from worker.engine.loop import Commands, Group, train
from worker.engine.place import Ended, Place
from worker.engine.reporter import Emit, Reporter
from worker.engine.run_record import hook_report, idle_notes, run_record
from worker.engine.single.form import SingleForm
from worker.engine.single.step import SingleSlot
from worker.engine.slot import Slot
from worker.engine.stacked.form import StackedForm
from worker.engine.stacked.grouping import Seating, seat
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.random_bits import Stream


@dataclass
class Waiting:
    """Runs that are to be trained together; most: how many at a time, after memory ran out."""

    runs: list[PackedRun]
    most: int | None = None


@dataclass(frozen=True)
class Prepared:
    """A run that can be trained, before it is announced."""

    place: Place
    hooks: tuple[dict[str, object], ...]
    notes: tuple[tuple[Literal["info", "warning"], str], ...]

    def announce(self, stack: dict[str, int] | None = None, stream: Stream = "philox") -> Place:
        """Say that the run has started; stack: the shape of the stack it is in."""
        slot, reporter = self.place.slot, self.place.reporter
        slot.progress.stack = stack
        record = run_record(slot, 1 if stack is None else stack, stream)
        reporter.started(slot.progress.step, slot.steps, slot.parameters.count, self.hooks, record)
        for level, text in self.notes:
            reporter.log(level, text)
        return self.place


def run_pack(start: Start, warm: Warm, emit: Emit, commands: Commands) -> bool:
    """Train the runs of a pack and say how each ended; return False where a drain stopped them."""
    waiting = [Waiting(list(start.runs))]
    while waiting:
        now = waiting.pop(0)
        prepared = _prepared(now.runs, warm, emit)
        places = [each.place for each in prepared]
        if not places:
            continue
        groups: list[Group] = []
        together, failed = len(places), False
        try:
            if warm.stacked:
                seating = _seated(places, warm, now.most)
                waiting[:0] = [Waiting([places[at].slot.run for at in later], now.most) for later in seating.later]
                prepared = [prepared[at] for at in seating.now]
                places = [each.place for each in prepared]
                together = seating.shape.slots
                groups = [_stacked(prepared, seating, warm)]
            else:
                groups = singly([each.announce() for each in prepared], partial(finish, warm=warm))
            if not train(groups, commands, start.checkpoint_s):
                for run in (run for later in waiting for run in later.runs):
                    Reporter(run, emit).drained(_saved_step(run))
                return False
        except Exception as error:
            places = [place for group in groups for place in group.places] if groups else places
            groups.clear()  # with what they hold of memory
            waiting, failed = _after_failure(error, places, together, waiting), True
        if failed or warm.stacked:
            warm.tidy()  # not above: the exception holds what it came through
    return True


def prepare(runs: Sequence[PackedRun], warm: Warm, emit: Emit) -> list[Place]:
    """Set up the runs that can be trained one after the other, and fail the others with a sentence each."""
    return [each.announce() for each in _prepared(runs, warm, emit)]


def _prepared(runs: Sequence[PackedRun], warm: Warm, emit: Emit) -> list[Prepared]:
    found: list[Prepared] = []
    for run in runs:
        reporter = Reporter(run, emit)
        try:
            found.append(_prepare(run, warm, reporter))
        except Exception as error:
            reporter.fail(explain(error))
    return found


def _prepare(run: PackedRun, warm: Warm, reporter: Reporter) -> Prepared:
    arm = run.spec.arm
    loaded = warm.base(arm, warm.precision(arm))
    data = warm.seed(arm, run.spec.seed, loaded)
    slot = warm.slot(run, loaded.host, len(data.steps))
    notes: list[tuple[Literal["info", "warning"], str]] = []
    begun = models.starting_tensors(loaded.base, arm, warm.home)
    if begun is not None:
        slot.parameters.put(begun.tensors)
        notes.append(("info", begun.note))
    unreadable = _restore(slot)
    if unreadable:
        notes.append(("warning", f"{unreadable}; the run starts afresh, which costs time and changes nothing else."))
    notes += [("info", note) for note in warm.tokenised(arm, loaded).notes]
    notes += [("info", note) for note in warm.elsewhere(arm, loaded)[1]]
    notes += idle_notes(slot)
    return Prepared(Place.of(slot, data, reporter, partial(generated, warm=warm)), hook_report(slot), tuple(notes))


def _seated(places: Sequence[Place], warm: Warm, most: int | None) -> Seating:
    """Who is trained in the next stack, as far as memory goes."""
    slots = [place.slot for place in places]
    fits = warm.most_slots(slots, places[0].data)
    return seat(places, fits if most is None else min(most, fits))


def singly(places: Sequence[Place], finish: Callable[[Place], Ended]) -> list[Group]:
    """The groups on a processor: every run is one."""

    def group(place: Place) -> Group:
        assert isinstance(place.slot, SingleSlot)  # a Warm that does not stack makes no other
        return Group([place], SingleForm(place.slot), lambda ending: [partial(finish, each) for each in ending])

    return [group(place) for place in places]


def _stacked(prepared: Sequence[Prepared], seating: Seating, warm: Warm) -> Group:
    """The group on a GPU: the runs of one stack, which are announced."""
    places = [each.announce(seating.shape.record(), warm.stream) for each in prepared]
    if seating.note:
        for place in places:
            place.reporter.log("warning", seating.note)
    host = places[0].slot.host
    assert isinstance(host, StackHost)  # a stacked Warm makes no other
    form = StackedForm(host, [place.slot for place in places], seating.shape, warm.stream)
    return Group(places, form, partial(finish_stack, shape=seating.shape, warm=warm))


def _restore(slot: Slot) -> str:
    """Go on from the run's checkpoint, if it has one; return why that could not be done, or nothing."""
    if slot.run.resume_from is None:
        return ""
    try:
        slot.restore(*read_checkpoint(Path(slot.run.resume_from), slot.arm.key(), slot.seed))
    except UnreadableCheckpoint as error:
        return str(error)
    return ""


def _after_failure(error: Exception, places: list[Place], together: int, waiting: list[Waiting]) -> list[Waiting]:
    """What is left to train after an exception: out of memory, the runs again in halves; anything else fails them.

    together: how many took memory, vacant slots included.
    """
    if not is_out_of_memory(error) or together < 2:
        for place in places:
            place.reporter.fail(explain(error, place.slot.arm.training))
        return waiting
    half = (together + 1) // 2
    again = [_again(place) for place in places]
    for place in places:
        place.reporter.log(
            "warning",
            f"Memory ran out with {together} runs together; they go on {half} at a time from the last checkpoint.",
        )
    return [*(Waiting(again[at : at + half], half) for at in range(0, len(again), half)), *waiting]


def _again(place: Place) -> PackedRun:
    """The run as it is to be started again: from its newest checkpoint, its own or the one it came with."""
    newest = latest_checkpoint(place.slot.folder)
    run = place.slot.run
    return run if newest is None else run.model_copy(update={"resume_from": str(newest)})


def _saved_step(run: PackedRun) -> int:
    if run.resume_from is None:
        return 0
    try:
        return read_checkpoint(Path(run.resume_from), run.spec.arm.key(), run.spec.seed)[0].step
    except UnreadableCheckpoint:
        return 0
