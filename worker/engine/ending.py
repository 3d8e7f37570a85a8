"""What happens when a run has taken its last step: texts are generated, the adapter is written and measured in fp32."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from torch import Tensor

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.trainer_protocol import Examples
from worker import models
from worker.engine import ledger
from worker.engine.examples import SHOWN, pick
from worker.engine.generate import answer
from worker.engine.hooked_base import HookedBase
from worker.engine.loaded import Warm
from worker.engine.losses import Tally
from worker.engine.place import Ended, Place
from worker.engine.single.evaluate import judge
from worker.engine.single.step import SingleSlot
from worker.engine.slot import Slot
from worker.engine.stacked.evaluate import judge_stack
from worker.engine.stacked.passes import StackHost
from worker.engine.stacked.shape import StackShape
from worker.engine.stacked.stack import Stack
from worker.engine.text_scores import text_scores


def generated(place: Place, warm: Warm) -> dict[str, float]:
    """Scores of the texts that the run generates, if it does; the texts are kept with the place."""
    arm = place.slot.arm
    if arm.generation is None or arm.generation.rows == 0:
        return {}
    loaded = warm.base(arm, warm.precision(arm))
    place.answers = answer(place.slot, loaded.base.tokenizer, place.data, warm.dataset(arm))
    return {f"validation/{name}": value for name, value in text_scores(place.answers).items()}


def finish(place: Place, warm: Warm) -> Ended:
    """Write the adapter with what it is held against, measured in fp32: for a run in fp32 its last evaluation."""
    last, owes = place.validation, _owes_fp32(place, warm)
    if owes or last is None:  # without one it was resumed at its last step
        slot = _twin(place.slot, warm.base(place.slot.arm, "fp32").host, warm) if owes else place.slot
        assert isinstance(slot, SingleSlot)  # a Warm that does not stack makes no other
        last = judge(slot, place.data.validation)
    return _exported(place, warm, last)


def finish_stack(places: Sequence[Place], shape: StackShape, warm: Warm) -> list[Callable[[], Ended]]:
    """The same for the runs of a stack, measured all at once; each call writes one adapter."""
    last = [place.validation for place in places if place.validation is not None and not _owes_fp32(place, warm)]
    if len(last) < len(places):
        last = _measured_in_fp32(places, shape, warm)
    return [partial(_exported, place, warm, tally) for place, tally in zip(places, last, strict=True)]


def _owes_fp32(place: Place, warm: Warm) -> bool:
    """Whether the run is to be measured in fp32 and computed in something else."""
    arm = place.slot.arm
    return arm.training.fp32_loss and warm.precision(arm) != "fp32"


def _measured_in_fp32(places: Sequence[Place], shape: StackShape, warm: Warm) -> list[Tally]:
    exact = warm.base(places[0].slot.arm, "fp32").host
    assert isinstance(exact, StackHost)
    twins = [_twin(place.slot, exact, warm) for place in places]
    stack = Stack(exact, twins, replace(shape, detached=0, paired=0), warm.stream)
    return judge_stack(stack, places[0].data.validation)[: len(places)]


def _twin(slot: Slot, host: HookedBase, warm: Warm) -> Slot:
    """The same run on another base."""
    twin = warm.slot(slot.run, host, slot.steps)
    twin.parameters.load(slot.parameters.values)
    return twin


def _see_that_it_moved(slot: Slot, trained: Mapping[str, Tensor]) -> None:
    """Raises TrainingError where no step had a finite gradient: LoRA's B, which starts at zero, then still is."""
    norm = slot.optimizer.norm
    if (
        norm is None
        or math.isfinite(norm)
        or any(tensor.any() for name, tensor in trained.items() if ".lora_B" in name)
    ):
        return
    raise TrainingError(
        FailureCode.LOSS_NAN,
        "No step of this run had a finite gradient, so its adapter is still what it began as, though the loss was a "
        "number. Lower the learning rate or alpha, or train with precision fp32.",
    )


def _exported(place: Place, warm: Warm, last: Tally) -> Ended:
    """Write the adapter; the final values, and the examples that are shown. last: the validation set at the end."""
    slot, arm = place.slot, place.slot.arm
    loaded = warm.base(arm, warm.precision(arm))
    _see_that_it_moved(slot, slot.exported())
    _write_adapters(place, loaded.base)
    folder, held = slot.folder / "ledger", {"validation": place.data.validation_rows, "test": place.data.test_rows}
    place.reporter.ledger(folder, ledger.write(folder, arm.task, slot.ledger, held))
    found = pick(last, place.data.validation_rows, loaded.base.tokenizer, arm.task, warm.dataset(arm).label_names)
    shown = tuple(one.shown() for one in place.answers[:SHOWN])
    examples = Examples(best=found.best, worst=found.worst, generated=shown)
    final = {"flops": slot.progress.flops}
    if slot.progress.early:
        final["saved_steps"] = float(slot.steps - slot.progress.step)
    if arm.training.fp32_loss or warm.precision(arm) == "fp32":
        final["validation/loss_fp32"] = last.mean
    if warm.precision(arm) == "fp32":
        final["validation_stopped/loss_fp32"] = slot.progress.best_loss
    return final, examples


def _write_adapters(place: Place, base: models.Base) -> None:
    """Write the adapters that the run keeps: where its best evaluation is its last, one is both."""
    slot, reporter, step = place.slot, place.reporter, place.step
    keep, folder, kept = slot.arm.training.keep, slot.folder / "adapter", slot.kept_elsewhere
    files: dict[str, str] | None = None
    if keep != "best" or kept is None:
        files = models.export_adapter(folder, base, slot.arm, slot.exported())
        reporter.adapter(folder, files, step, ("last", "stopped") if kept is None else ("last",))
    if keep != "last" and kept is not None:
        beside, trained = slot.folder / "adapter-stopped", slot.exported(kept)
        if files is None:
            files = models.export_adapter(beside, base, slot.arm, trained)
        else:
            files = models.export_beside(beside, folder, files, trained)
        reporter.adapter(beside, files, slot.progress.best_step, ("stopped",))
