"""Runs that stop early: as the first part of the same run unbroken, and without a trace in the runs beside them."""

from pathlib import Path
from typing import Any

import pytest
import torch

from backend.shared.specs import ArmKeySpec
from backend.shared.trainer_protocol import Drain
from tests.worker.engine.test_clocks import turning
from tests.worker.engine.test_together_or_alone import same_run
from tests.worker.engine.tiny_pack import Told, World, start, trained
from worker.engine.loaded import Warm
from worker.engine.pack import run_pack

AT_END = ("test", "stopped_step")  # what is told with the last evaluation only


def by_step(told: Told, run: str) -> dict[int, dict[str, float]]:
    """What was told along the way, but for times and what only an end tells."""
    return {
        event.step: {
            name: value
            for name, value in {**event.values, **event.extra}.items()
            if name != "train/seconds" and not name.startswith(AT_END)
        }
        for event in told.only(run, "evaluation")
    }


def stacked(world: World, folder: Path, arms: dict[str, ArmKeySpec], **more: Any) -> Told:
    told = Told()
    warm = Warm(world.home, torch.device("cpu"), stacked=True)
    assert run_pack(start(world, folder, arms, **more), warm, told, list)
    return told


def part_of(short: Told, whole: Told, run: str) -> int:
    """Check that a run is the first part of the same one unbroken; its last step."""
    last = short.only(run, "finished")[0].step
    assert short.losses(run) == whole.losses(run)[:last]
    assert by_step(short, run) == {step: found for step, found in by_step(whole, run).items() if step <= last}
    assert last < whole.only(run, "finished")[0].step
    return int(last)


def test_a_run_stopped_early_is_the_first_part_of_the_same_run(turning_world: World, tmp_path: Path) -> None:
    whole = trained(turning_world, tmp_path / "whole", {"run": turning(turning_world)})
    told = trained(turning_world, tmp_path / "told", {"run": turning(turning_world, patience=2)})
    last = part_of(told, whole, "run")
    best = int(whole.only("run", "evaluation")[-1].values["stopped_step"])
    steps = [event.step for event in whole.only("run", "evaluation")]
    assert steps.index(last) == steps.index(best) + 2
    assert told.only("run", "started")[0].total_steps == steps[-1]  # the schedule of the learning rate, too
    end = told.only("run", "evaluation")[-1]
    assert end.values["stopped_step"] == best
    assert {"test/loss", "test_stopped/loss"} <= end.values.keys()
    assert end.values["test_stopped/loss"] == whole.only("run", "evaluation")[-1].values["test_stopped/loss"]
    kept = [one.artifact("run", "adapter_stopped").files for one in (told, whole)]
    assert kept[0] == kept[1]
    words = (
        f"Stopped early at step {last} of {steps[-1]}: the validation loss did not improve in the last 2 evaluations; "
        f"it was best at step {best}."
    )
    assert told.only("run", "finished")[0].message == words
    assert [event.text for event in told.only("run", "log")] == [words]
    assert told.final("run")["saved_steps"] == steps[-1] - last
    assert "saved_steps" not in whole.final("run")
    assert whole.only("run", "finished")[0].message is None


def test_a_gain_that_is_too_small_stops_a_run(bert_world: World, tmp_path: Path) -> None:
    """The loss falls at every evaluation, by less than asked for; patience without it lets the run go on."""
    slow = {"epochs": 8, "evaluations": 8, "learning_rate": 0.02, "patience": 1}
    on = trained(bert_world, tmp_path / "on", {"run": bert_world.arm(**slow)})
    losses = [event.values["validation/loss"] for event in on.only("run", "evaluation")]
    assert losses == sorted(losses, reverse=True)
    assert on.only("run", "finished")[0].step == 24
    told = trained(bert_world, tmp_path / "told", {"run": bert_world.arm(**slow, min_delta=0.25)})
    done = told.only("run", "finished")[0]
    assert done.step == told.only("run", "evaluation")[1].step
    assert "did not improve by more than 0.25 in the last evaluation; it was best at step" in done.message


@pytest.mark.parametrize("form", ["loop", pytest.param("stack", marks=pytest.mark.slow)])
def test_who_stops_early_leaves_the_others_as_they_are(turning_world: World, tmp_path: Path, form: str) -> None:
    """A pack whose middle run stops, against the same pack with all its steps; to the last bit."""
    train = trained if form == "loop" else stacked
    arms = {name: turning(turning_world, name) for name in ("none", "hiddenkey", "dropattention")}
    whole = train(turning_world, tmp_path / "whole", arms)
    told = train(
        turning_world, tmp_path / "told", {**arms, "hiddenkey": turning(turning_world, "hiddenkey", patience=1)}
    )
    part_of(told, whole, "hiddenkey")
    assert told.only("hiddenkey", "finished")[0].message.startswith("Stopped early")
    for name in ("none", "dropattention"):
        same_run(told, whole, name)


@pytest.mark.parametrize("form", ["loop", pytest.param("stack", marks=pytest.mark.slow)])
def test_resumed_where_it_stopped_it_ends_as_it_would_have(turning_world: World, tmp_path: Path, form: str) -> None:
    """From its last checkpoint it takes no step more; from the one before it counts on from what it had waited."""
    train = trained if form == "loop" else stacked
    arms = {"run": turning(turning_world, patience=2)}
    whole = train(turning_world, tmp_path / "whole", arms)
    *_, before, last = whole.only("run", "checkpoint")
    for checkpoint in (before, last):
        again = train(turning_world, tmp_path / str(checkpoint.step), arms, resume_from={"run": checkpoint.folder})
        assert len(again.losses("run")) == last.step - checkpoint.step
        assert again.final("run") == whole.final("run")
        assert again.kept("run") == whole.kept("run")
        assert again.only("run", "finished")[0].message == whole.only("run", "finished")[0].message


def test_drained_before_it_stops_it_stops_all_the_same(turning_world: World, tmp_path: Path) -> None:
    arms = {"run": turning(turning_world, patience=2)}
    whole = trained(turning_world, tmp_path / "whole", arms)

    def soon(told: Told) -> list[Drain]:
        return [Drain()] if len(told.losses("run")) >= 5 else []

    first = trained(turning_world, tmp_path / "first", arms, soon, checkpoint_s=0)
    folder = first.only("run", "checkpoint")[-1].folder
    again = trained(turning_world, tmp_path / "again", arms, resume_from={"run": folder})
    assert again.only("run", "finished")[0].step == whole.only("run", "finished")[0].step
    assert again.kept("run") == whole.kept("run")
