"""One pack from its command to its end: slots set up or refused one by one, trained together, halved for memory."""

import gc
from collections.abc import Sequence
from pathlib import Path

from backend.shared.events import PackedRun, Start
from worker import models
from worker.engine.checkpoint import UnreadableCheckpoint, latest_checkpoint, read_checkpoint
from worker.engine.evaluate import judge
from worker.engine.failures import explain, is_out_of_memory
from worker.engine.loop import Commands, Place, train
from worker.engine.report import hook_report, run_record
from worker.engine.reporter import Emit, Reporter
from worker.engine.slot import Slot
from worker.engine.warm import Warm


def run_pack(start: Start, warm: Warm, emit: Emit, commands: Commands) -> bool:
    """Train the runs of a pack and say how each ended; return False where a drain stopped them."""
    waiting = [list(start.runs)]
    while waiting:
        runs = waiting.pop(0)
        places = prepare(runs, warm, emit)
        try:
            if not train(places, commands, lambda place: _finish(place, warm), start.checkpoint_s):
                for run in (run for later in waiting for run in later):
                    Reporter(run, emit).drained(_saved_step(run))
                return False
        except Exception as error:
            waiting = _after_failure(error, places, waiting)
    return True


def prepare(runs: Sequence[PackedRun], warm: Warm, emit: Emit) -> list[Place]:
    """Set up the runs that can be trained, and fail the others with a sentence each."""
    places: list[Place] = []
    for run in runs:
        reporter = Reporter(run, emit)
        try:
            places.append(_place(run, warm, reporter))
        except Exception as error:
            reporter.fail(explain(error))
    return places


def _place(run: PackedRun, warm: Warm, reporter: Reporter) -> Place:
    arm = run.spec.arm
    loaded = warm.base(arm, warm.precision(arm))
    data = warm.seed(arm, run.spec.seed, loaded)
    slot = Slot(run, loaded.host, loaded.host.hooked.attention_layers, len(data.steps))
    unreadable = _restore(slot)
    reporter.started(slot.progress.step, slot.steps, slot.parameters.count, hook_report(slot), run_record(slot))
    if unreadable:
        reporter.log("warning", f"{unreadable}; the run starts afresh, which costs time and changes nothing else.")
    for note in warm.tokenised(arm, loaded).notes:
        reporter.log("info", note)
    if slot.method.native and loaded.host.hooked.native_dropouts == 0:
        reporter.log(
            "warning", "The base model's own configuration turns no dropout on: native dropout changes nothing."
        )
    return Place.of(slot, data, reporter)


def _restore(slot: Slot) -> str:
    """Go on from the run's checkpoint, if it has one; return why that could not be done, or nothing."""
    if slot.run.resume_from is None:
        return ""
    try:
        slot.restore(*read_checkpoint(Path(slot.run.resume_from), slot.arm.key(), slot.seed))
    except UnreadableCheckpoint as error:
        return str(error)
    return ""


def _finish(place: Place, warm: Warm) -> dict[str, float]:
    """Write the adapter, and measure in fp32 what it is held against."""
    slot, arm = place.slot, place.slot.arm
    loaded = warm.base(arm, warm.precision(arm))
    folder = slot.folder / "adapter"
    place.reporter.adapter(folder, models.export_adapter(folder, loaded.base, arm, slot.exported()))
    exact = warm.base(arm, "fp32")
    twin = Slot(slot.run, exact.host, exact.host.hooked.attention_layers, slot.steps)
    twin.parameters.load(slot.parameters.values)
    return {
        "validation/loss_fp32": judge(twin, place.data.validation).mean,
        "flops": slot.progress.flops,
    }


def _after_failure(error: Exception, places: list[Place], waiting: list[list[PackedRun]]) -> list[list[PackedRun]]:
    """What is left to train after an exception: out of memory, the runs again in halves; anything else fails them."""
    if not is_out_of_memory(error) or len(places) < 2:
        for place in places:
            place.reporter.fail(explain(error))
        return waiting
    half = (len(places) + 1) // 2
    again = [_again(place) for place in places]
    for place in places:
        place.reporter.log(
            "warning",
            f"Memory ran out with {len(places)} runs together; they go on {half} at a time from the last checkpoint.",
        )
    places.clear()
    gc.collect()
    return [again[:half], again[half:], *waiting]


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
