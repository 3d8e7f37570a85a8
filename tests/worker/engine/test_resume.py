"""A run that goes on from a checkpoint ends as if nothing had happened."""

from pathlib import Path

import pytest
import torch
from transformer_dropout import PRESETS

from backend.shared.trainer_protocol import Drain
from tests.worker.engine.tiny_pack import Told, World, trained
from worker.engine.checkpoint import Progress, UnreadableCheckpoint, read_checkpoint, write_checkpoint


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_drained_and_resumed_equals_undisturbed(bert_world: World, tmp_path: Path, precision: str) -> None:
    arms = {name: bert_world.arm(name, precision=precision) for name in ("hiddenkey", "native_dropout")}
    whole = trained(bert_world, tmp_path / "whole", arms)

    def after_two(told: Told) -> list[Drain]:
        return [Drain()] if len(told.losses("native_dropout")) >= 2 else []

    first = trained(bert_world, tmp_path / "first", arms, after_two, checkpoint_s=0)
    assert first.drained
    folders = {name: first.only(name, "checkpoint")[-1].folder for name in arms}
    assert [first.only(name, "drained")[0].step for name in arms] == [2, 2]
    second = trained(bert_world, tmp_path / "second", arms, resume_from=folders)
    for name in arms:
        assert second.only(name, "started")[0].step == 2
        assert first.losses(name) + second.losses(name) == whole.losses(name)
        assert first.values(name) + second.values(name) == whole.values(name)
        assert second.final(name) == whole.final(name)
        assert second.kept(name) == whole.kept(name) != {}


class Killed(BaseException):
    """Ends the training where it stands, as the end of the process would."""


@pytest.mark.slow
def test_every_preset_killed_and_resumed_equals_undisturbed(bert_world: World, tmp_path: Path) -> None:
    arms = {
        name: bert_world.arm(name, rank=(2, 4, 8)[at % 3], precision="bf16", epochs=17)
        for at, name in enumerate(PRESETS)
    }
    whole = trained(bert_world, tmp_path / "whole", arms)
    first = Told()

    def killed(told: Told) -> list[Drain]:
        first.of = told.of
        if len(told.losses("none")) >= 21:
            raise Killed
        return []

    with pytest.raises(Killed):
        trained(bert_world, tmp_path / "first", arms, killed, checkpoint_s=0)
    folders = {name: first.only(name, "checkpoint")[-1].folder for name in arms}
    second = trained(bert_world, tmp_path / "second", arms, resume_from=folders)
    for name in arms:
        begun = second.only(name, "started")[0].step
        assert begun in (20, 21)
        assert second.losses(name) == whole.losses(name)[begun:]
        assert second.values(name) == whole.values(name)
        assert second.final(name) == whole.final(name)
        assert second.kept(name) == whole.kept(name) != {}


def test_resumed_at_its_last_step_only_finishes(bert_world: World, tmp_path: Path) -> None:
    arms = {"none": bert_world.arm()}
    whole = trained(bert_world, tmp_path / "whole", arms)
    last = whole.only("none", "checkpoint")[-1]
    again = trained(bert_world, tmp_path / "again", arms, resume_from={"none": last.folder})
    assert not again.losses("none")
    assert not again.values("none")
    assert again.kept("none") == whole.kept("none") != {}
    assert again.final("none") == whole.final("none")


def test_a_checkpoint_is_written_at_every_evaluation_and_when_time_is_up(bert_world: World, tmp_path: Path) -> None:
    arms = {"none": bert_world.arm()}
    told = trained(bert_world, tmp_path / "rare", arms, checkpoint_s=3600)
    assert [e.step for e in told.only("none", "checkpoint")] == [e.step for e in told.only("none", "evaluation")]
    often = trained(bert_world, tmp_path / "often", arms, checkpoint_s=0)
    assert [e.step for e in often.only("none", "checkpoint")] == [1, 2, 3, 4, 5, 6]
    assert all((Path(e.folder) / "state.safetensors").is_file() for e in often.only("none", "checkpoint"))


def test_a_broken_or_foreign_checkpoint_means_starting_afresh(bert_world: World, tmp_path: Path) -> None:
    told = trained(bert_world, tmp_path / "one", {"none": bert_world.arm()})
    folder = told.only("none", "checkpoint")[-1].folder
    other = trained(bert_world, tmp_path / "two", {"none": bert_world.arm("dropkey")}, resume_from={"none": folder})
    Path(folder, "state.safetensors").write_bytes(b"broken")
    broken = trained(bert_world, tmp_path / "three", {"none": bert_world.arm()}, resume_from={"none": folder})
    for again in (other, broken):
        assert again.only("none", "started")[0].step == 0
        assert any(e.level == "warning" and "starts afresh" in e.text for e in again.only("none", "log"))
    assert broken.final("none") == told.final("none")


@pytest.mark.parametrize("file", ["state.safetensors", "state.json"])
def test_a_checkpoint_with_a_flipped_bit_is_not_gone_on_from(tmp_path: Path, file: str) -> None:
    """Whichever bit it is (a hundred are tried): the run starts afresh rather than with another number."""
    progress = Progress(step=7, tokens=99, losses=[0.5])
    made = write_checkpoint(tmp_path, progress, "key", 3, {"values": torch.arange(50.0)})
    read, tensors = read_checkpoint(made, "key", 3)
    assert (read, tensors["values"].tolist()) == (progress, torch.arange(50.0).tolist())
    whole = (made / file).read_bytes()
    for place in range(0, 8 * len(whole), 8 * len(whole) // 100):
        harmed = bytearray(whole)
        harmed[place // 8] ^= 1 << place % 8
        (made / file).write_bytes(harmed)
        with pytest.raises(UnreadableCheckpoint):
            read_checkpoint(made, "key", 3)
