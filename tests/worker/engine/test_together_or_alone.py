"""E0: a run in a pack is bit for bit the run alone, whatever its mates are and however they end."""

from pathlib import Path

import pytest
import torch
from torch import Tensor
from transformer_dropout import PRESETS

from backend.shared.run_status import FailureCode
from backend.shared.trainer_protocol import Cancel
from tests.worker.engine.tiny_pack import Told, World, trained
from worker.engine.optimizer import AdamW
from worker.engine.single.step import SingleSlot


def same_run(one: Told, other: Told, run: str) -> None:
    assert one.losses(run) == other.losses(run)
    assert one.values(run) == other.values(run)
    assert one.final(run) == other.final(run)
    assert one.kept(run) == other.kept(run) != {}


@pytest.mark.slow
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_every_preset_in_one_pack_of_mixed_ranks_equals_itself_alone(
    bert_world: World, tmp_path: Path, precision: str
) -> None:
    arms = {
        name: bert_world.arm(
            name,
            rate=(None, 0.05, 0.2)[at % 3] if PRESETS[name].default_rate else None,
            rank=(2, 4, 8)[at % 3],
            precision=precision,
            learning_rate=0.01 / (1 + at % 2),
            epochs=17,  # 51 steps
        )
        for at, name in enumerate(PRESETS)
    }
    together = trained(bert_world, tmp_path / "together", arms)
    for name, arm in arms.items():
        same_run(trained(bert_world, tmp_path / "alone", {name: arm}), together, name)
    assert len({tuple(together.losses(name)) for name in arms}) > len(arms) // 2  # the methods do differ


@pytest.mark.slow
@pytest.mark.parametrize("half", [0, 1])
def test_twelve_runs_of_minilm_in_one_pack_equal_themselves_alone(minilm: World, tmp_path: Path, half: int) -> None:
    names = (list(PRESETS)[:12], list(PRESETS)[11:])[half]
    arms = {
        name: minilm.arm(
            name,
            rate=0.15 if PRESETS[name].default_rate and at % 2 else None,
            rank=(4, 8, 16)[at % 3],
            epochs=6,  # 18 steps; fifty of them are taken above, by a model that costs nothing
            precision="auto",
            learning_rate=2e-3,
        )
        for at, name in enumerate(names)
    }
    assert len(arms) == 12
    together = trained(minilm, tmp_path / "together", arms)
    for name, arm in arms.items():
        same_run(trained(minilm, tmp_path / "alone", {name: arm}), together, name)


@pytest.mark.parametrize("name", ["hiddenkey", "dropattention", "adapter_rank", "output_dropout", "neftune"])
def test_decoder_in_a_pack_equals_itself_alone(llama_world: World, tmp_path: Path, name: str) -> None:
    arms = {name: llama_world.arm(name, precision="bf16"), "none": llama_world.arm(rank=8, precision="bf16")}
    together = trained(llama_world, tmp_path / "together", arms)
    same_run(trained(llama_world, tmp_path / "alone", {name: arms[name]}), together, name)


def test_a_cancelled_run_leaves_at_the_next_step_and_disturbs_nobody(bert_world: World, tmp_path: Path) -> None:
    arms = {name: bert_world.arm(name) for name in ("none", "hiddenkey", "dropattention")}
    undisturbed = trained(bert_world, tmp_path / "whole", arms)

    def after_two_steps(told: Told) -> list[Cancel]:
        return [Cancel(run_id="hiddenkey", fence=1)] if len(told.losses("none")) == 2 else []

    told = trained(bert_world, tmp_path / "cancelled", arms, after_two_steps, checkpoint_s=0)
    assert told.only("hiddenkey", "cancelled")
    assert not told.only("hiddenkey", "finished")
    for name in ("none", "dropattention"):
        same_run(told, undisturbed, name)


def test_a_cancellation_of_an_older_attempt_is_not_meant_for_this_one(bert_world: World, tmp_path: Path) -> None:
    told = trained(bert_world, tmp_path, {"none": bert_world.arm()}, lambda told: [Cancel(run_id="none", fence=0)])
    assert told.only("none", "finished")


def test_losses_that_are_not_numbers_end_their_run_alone(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = {name: bert_world.arm(name, epochs=3) for name in ("none", "hiddenkey")}
    undisturbed = trained(bert_world, tmp_path / "whole", arms)
    step = SingleSlot.train_step

    def poisoned(slot: SingleSlot, batch: object) -> float:
        if slot.run.run_id == "hiddenkey" and slot.progress.step == 2:
            slot.parameters.values[0] = float("nan")
            slot.parameters.refresh()
        return step(slot, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(SingleSlot, "train_step", poisoned)
    told = trained(bert_world, tmp_path / "poisoned", arms)
    failed = told.only("hiddenkey", "failed")[0]
    assert failed.code is FailureCode.LOSS_NAN
    assert "step 7" in failed.message
    last = told.only("hiddenkey", "evaluation")[-1]
    assert last.step == 7
    assert last.values["validation/loss"] != last.values["validation/loss"]
    same_run(told, undisturbed, "none")


def test_a_run_without_one_finite_gradient_fails(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its losses are numbers, but nothing was learned; a run with some finite gradients ends as ever."""
    update = AdamW.update

    def never(optimizer: AdamW, grad: Tensor, step: int) -> None:
        update(optimizer, grad.fill_(float("nan")), step)

    def but_once(optimizer: AdamW, grad: Tensor, step: int) -> None:
        update(optimizer, grad if step == 2 else grad.fill_(float("inf")), step)

    monkeypatch.setattr(AdamW, "update", never)
    failed = trained(bert_world, tmp_path / "never", {"none": bert_world.arm("none")}).only("none", "failed")[0]
    assert failed.code is FailureCode.LOSS_NAN
    assert "finite gradient" in failed.message
    monkeypatch.setattr(AdamW, "update", but_once)
    assert trained(bert_world, tmp_path / "once", {"none": bert_world.arm("none")}).only("none", "finished")


def test_memory_that_runs_out_restarts_the_pack_in_halves_and_says_so(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    arms = {name: bert_world.arm(name) for name in ("none", "hiddenkey", "dropkey")}
    undisturbed = trained(bert_world, tmp_path / "whole", arms)
    step, failures = SingleSlot.train_step, [0]

    def short_of_memory(slot: SingleSlot, batch: object) -> float:
        if slot.run.run_id == "dropkey" and slot.progress.step == 4 and not failures[0]:
            failures[0] += 1
            raise torch.OutOfMemoryError("planted")
        return step(slot, batch)  # type: ignore[arg-type]

    monkeypatch.setattr(SingleSlot, "train_step", short_of_memory)
    told = trained(bert_world, tmp_path / "short", arms)
    for name in arms:
        assert any("Memory ran out with 3 runs together" in e.text for e in told.only(name, "log"))
        assert told.final(name) == undisturbed.final(name)
        left, right = told.adapter(name), undisturbed.adapter(name)
        assert all(torch.equal(left[key], right[key]) for key in left)


def test_memory_too_small_for_one_run_fails_it_with_what_to_change(
    bert_world: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(slot: SingleSlot, batch: object) -> float:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:117] DefaultCPUAllocator: can't allocate memory")

    monkeypatch.setattr(SingleSlot, "train_step", never)
    failed = trained(bert_world, tmp_path, {"none": bert_world.arm()}).only("none", "failed")[0]
    assert failed.code is FailureCode.OUT_OF_MEMORY
    assert "batch_size" in failed.message
