"""Packs in the stacked form, through the engine's own door, on the processor."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from transformer_dropout import PRESETS

from backend.shared.run_status import FailureCode
from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import Cancel, Command, Drain
from tests.worker.engine.test_together_or_alone import same_run
from tests.worker.engine.tiny_pack import Told, World, start, trained
from worker.engine import ending
from worker.engine.batches import Batch
from worker.engine.loaded import Warm
from worker.engine.optimizer import AdamW
from worker.engine.pack import run_pack
from worker.engine.stacked.optimizer import StackAdamW
from worker.engine.stacked.stack import Stack

pytestmark = pytest.mark.slow

METHODS = ("none", "hiddenkey", "dropattention", "rdrop")


def stacked(
    world: World,
    folder: Path,
    arms: dict[str, ArmKeySpec],
    commands: Callable[[Told], Sequence[Command]] = lambda told: (),
    most: int | None = None,
    stream: Any = "counter",
    **more: Any,
) -> Told:
    """Train arms together in the form for a GPU."""
    told = Told()
    warm = Warm(world.home, torch.device("cpu"), stacked=True, stream=stream, most=most)
    told.drained = not run_pack(start(world, folder, arms, **more), warm, told, lambda: commands(told))
    return told


def arms_of(world: World, *names: str, **training: Any) -> dict[str, ArmKeySpec]:
    """One arm a method, of mixed ranks and rates."""
    return {
        name: world.arm(name, rank=(2, 4, 8)[at % 3], learning_rate=0.01 / (1 + at % 2), **training)
        for at, name in enumerate(names)
    }


def _kinds(told: Told, run: str) -> list[str]:
    """What a run said, but for losses: how many go out at once is a matter of time."""
    return [event.type for event in told.of[run] if event.type != "steps"]


@pytest.mark.parametrize("kind", ["bert", "llama"])
def test_a_stack_tells_what_the_loop_tells(bert_world: World, llama_world: World, tmp_path: Path, kind: str) -> None:
    world = bert_world if kind == "bert" else llama_world
    arms = arms_of(world, *(name for name in PRESETS if kind == "bert" or not PRESETS[name].native))
    loop = trained(world, tmp_path / "loop", arms)
    told = stacked(world, tmp_path / "stack", arms, stream="philox")
    for name in arms:
        assert told.losses(name) == pytest.approx(loop.losses(name), rel=1e-3), name
        for ours, theirs in zip(told.values(name), loop.values(name), strict=True):
            assert ours == pytest.approx(theirs, rel=2e-3, abs=1e-6), name
        assert told.final(name) == pytest.approx(loop.final(name), rel=1e-3), name
        left, right = told.adapter(name), loop.adapter(name)
        assert left.keys() == right.keys()
        assert all(torch.allclose(left[key], right[key], atol=2e-3) for key in left), name
        assert _kinds(told, name) == _kinds(loop, name)


def test_in_bf16_a_stack_stays_near_the_loop_and_equals_itself(bert_world: World, tmp_path: Path) -> None:
    arms = arms_of(bert_world, *METHODS, precision="bf16")
    loop = trained(bert_world, tmp_path / "loop", arms)
    told = stacked(bert_world, tmp_path / "stack", arms, stream="philox")
    again = stacked(bert_world, tmp_path / "again", arms, stream="philox")
    for name in arms:
        assert told.losses(name) == pytest.approx(loop.losses(name), rel=0.05), name
        assert told.only(name, "started")[0].record["precision"] == "bf16"
        same_run(told, again, name)


def test_the_record_names_the_stack_its_stream_and_the_device(bert_world: World, tmp_path: Path) -> None:
    told = stacked(bert_world, tmp_path, arms_of(bert_world, *METHODS))
    record = told.only("hiddenkey", "started")[0].record
    assert record["stack"] == {"slots": 4, "rank": 8, "detached": 1, "paired": 1}
    assert "counter" in record["mask_stream"]
    assert record["device"] == "cpu"
    assert record["device_name"]


def test_drained_and_resumed_equals_undisturbed_with_mates_gone(bert_world: World, tmp_path: Path) -> None:
    arms = arms_of(bert_world, *METHODS)
    whole = stacked(bert_world, tmp_path / "whole", arms)

    def after_two(told: Told) -> list[Drain]:
        return [Drain()] if len(told.only("rdrop", "checkpoint")) >= 2 else []

    first = stacked(bert_world, tmp_path / "first", arms, after_two, checkpoint_s=0)
    assert first.drained
    folders = {name: first.only(name, "checkpoint")[-1].folder for name in arms}
    left = {name: arms[name] for name in ("rdrop", "hiddenkey")}
    second = stacked(bert_world, tmp_path / "second", left, resume_from=folders)
    for name in left:
        begun = second.only(name, "started")[0]
        assert begun.step == 2
        assert begun.record["stack"]["slots"] == 4
        assert first.losses(name) + second.losses(name) == whole.losses(name)
        assert first.values(name) + second.values(name) == whole.values(name)
        assert second.final(name) == whole.final(name)
        assert second.kept(name) == whole.kept(name) != {}


def test_a_cancelled_run_leaves_and_disturbs_nobody(bert_world: World, tmp_path: Path) -> None:
    arms = arms_of(bert_world, *METHODS)
    undisturbed = stacked(bert_world, tmp_path / "whole", arms)

    def after_the_first(told: Told) -> list[Cancel]:
        return [Cancel(run_id="hiddenkey", fence=1)] if len(told.losses("none")) == 1 else []

    told = stacked(bert_world, tmp_path / "cancelled", arms, after_the_first)
    assert told.only("hiddenkey", "cancelled")
    assert not told.only("hiddenkey", "finished")
    for name in ("none", "dropattention", "rdrop"):
        same_run(told, undisturbed, name)


def test_losses_that_are_not_numbers_end_their_run_alone(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = arms_of(bert_world, *METHODS, epochs=3)
    undisturbed = stacked(bert_world, tmp_path / "whole", arms)
    step = Stack.train_step

    def poisoned(stack: Stack, batch: Batch) -> torch.Tensor:
        at = next((i for i, s in enumerate(stack.slots) if s is not None and s.run.run_id == "hiddenkey"), None)
        if stack.step == 2 and at is not None:
            stack.tensors.values[at, 0] = torch.nan
            stack.tensors.refresh()
        return step(stack, batch)

    monkeypatch.setattr(Stack, "train_step", poisoned)
    told = stacked(bert_world, tmp_path / "poisoned", arms)
    failed = told.only("hiddenkey", "failed")[0]
    assert failed.code is FailureCode.LOSS_NAN
    assert "step 7" in failed.message
    assert len(told.losses("hiddenkey")) == 7
    last = told.only("hiddenkey", "evaluation")[-1]
    assert last.step == 7
    assert last.values["validation/loss"] != last.values["validation/loss"]
    for name in ("none", "dropattention", "rdrop"):
        same_run(told, undisturbed, name)


def test_a_run_without_one_finite_gradient_fails_alone(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = arms_of(bert_world, "none", "dropattention")
    undisturbed = stacked(bert_world, tmp_path / "whole", arms)
    update = StackAdamW.update

    def never(optimizer: StackAdamW, grad: torch.Tensor, slots: Sequence[AdamW | None], step: int) -> None:
        grad[1] = torch.nan
        update(optimizer, grad, slots, step)

    monkeypatch.setattr(StackAdamW, "update", never)
    told = stacked(bert_world, tmp_path / "never", arms)
    failed = told.only("dropattention", "failed")[0]
    assert failed.code is FailureCode.LOSS_NAN
    assert "finite gradient" in failed.message
    same_run(told, undisturbed, "none")


def test_memory_that_runs_out_restarts_in_a_smaller_shape_and_says_so(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = arms_of(bert_world, *METHODS)
    step = Stack.train_step

    def short_of_memory(stack: Stack, batch: Batch) -> torch.Tensor:
        if stack.shape.slots > 2 and stack.step == 4:
            raise torch.OutOfMemoryError("planted")
        return step(stack, batch)

    monkeypatch.setattr(Stack, "train_step", short_of_memory)
    told = stacked(bert_world, tmp_path / "short", arms)
    for name in arms:
        texts = [event.text for event in told.only(name, "log")]
        assert any("Memory ran out with 4 runs together; they go on 2 at a time" in text for text in texts)
        assert any("in a stack of 2 instead of 4" in text for text in texts)
        assert told.only(name, "started")[-1].record["stack"]["slots"] == 2
        assert told.only(name, "finished")


def test_memory_too_small_for_one_run_fails_it_with_the_numbers_to_change(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(stack: Stack, batch: Batch) -> torch.Tensor:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 GiB.")

    monkeypatch.setattr(Stack, "train_step", never)
    told = stacked(bert_world, tmp_path, arms_of(bert_world, "none", "hiddenkey"))
    for name in ("none", "hiddenkey"):
        failed = told.only(name, "failed")[0]
        assert failed.code is FailureCode.OUT_OF_MEMORY
        assert "training.batch_size (now 4)" in failed.message
        assert "training.max_length (now 32)" in failed.message


def test_a_stack_holds_what_memory_holds_and_the_others_wait(bert_world: World, tmp_path: Path) -> None:
    arms = arms_of(bert_world, *METHODS)
    told = stacked(bert_world, tmp_path, arms, most=3)
    sizes = sorted(told.only(name, "started")[-1].record["stack"]["slots"] for name in arms)
    assert sizes == [1, 3, 3, 3]
    assert all(told.only(name, "finished") for name in arms)


def test_another_error_fails_the_runs_of_its_stack(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("planted")

    monkeypatch.setattr(ending, "judge_stack", broken)
    arms = arms_of(bert_world, "none", "hiddenkey", precision="bf16")  # so that their ends are measured in fp32
    told = stacked(bert_world, tmp_path, arms)
    assert all(told.only(name, "failed")[0].code is FailureCode.INTERNAL for name in ("none", "hiddenkey"))
