"""The trainer as a process: commands in, events out, warm between packs, gone with its supervisor."""

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from backend.shared.trainer_protocol import EVENTS, Cancel, Command, Drain, Stop
from tests.worker.engine.tiny_pack import World, make_world, start

ROOT = Path(__file__).parents[2]


@dataclass
class Trainer:
    """A running trainer and what it has said."""

    process: "subprocess.Popen[bytes]"
    events: int
    said: list[Any] = field(default_factory=list)
    rest: bytes = b""

    def send(self, command: Command) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(command.model_dump_json().encode() + b"\n")
        self.process.stdin.flush()

    def until(self, seen: Callable[[Any], bool], seconds: float = 60) -> Any:
        """Read until an event fits; it must come in time."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if not select.select([self.events], [], [], 0.2)[0]:
                continue
            chunk = os.read(self.events, 1 << 16)
            assert chunk, f"the trainer ended: {self.process.wait()}"
            *lines, self.rest = (self.rest + chunk).split(b"\n")
            events = [EVENTS.validate_json(line) for line in lines]
            self.said += events
            found = next((event for event in events if seen(event)), None)
            if found is not None:
                return found
        raise AssertionError(f"not said in {seconds} s; the last words were {self.said[-3:]}")

    def of(self, run: str, kind: str) -> list[Any]:
        return [e for e in self.said if getattr(e, "run_id", None) == run and e.type == kind]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> World:
    return make_world(Path(tmp_path_factory.mktemp("trainer")))


@pytest.fixture
def trainer(tmp_path: Path) -> Iterator[Trainer]:
    reading, writing = os.pipe()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "worker.trainer", "--events-fd", str(writing)],
            stdin=subprocess.PIPE,
            stdout=log,
            stderr=log,
            pass_fds=(writing,),
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
        )
    os.close(writing)
    found = Trainer(process, reading)
    found.until(lambda event: event.type == "ready")
    yield found
    process.kill()
    process.wait()
    os.close(reading)


def done(event: Any) -> bool:
    return bool(event.type == "pack_done")


def test_packs_one_after_the_other_then_a_stop(trainer: Trainer, world: World, tmp_path: Path) -> None:
    for seed in range(2):
        arms = {f"{name}-{seed}": world.arm(name) for name in ("none", "hiddenkey")}
        trainer.send(start(world, tmp_path / str(seed), arms, seed=seed))
        assert trainer.until(done).claim_id == "claim"
        for run in arms:
            kinds = [e.type for e in trainer.said if getattr(e, "run_id", None) == run]
            assert kinds[0] == "started"
            assert kinds[-2:] == ["artifact", "finished"]
            assert trainer.of(run, "steps")[0].losses[1:] == ()  # the first step is told at once
    assert trainer.said[0].pid == trainer.process.pid
    trainer.send(Stop())
    assert trainer.process.wait(10) == 0


def test_a_run_that_cannot_be_set_up_fails_alone(trainer: Trainer, world: World, tmp_path: Path) -> None:
    lost = world.arm().model_copy(update={"target_modules": ("nowhere",)})
    trainer.send(start(world, tmp_path, {"good": world.arm(), "lost": lost}))
    trainer.until(done)
    assert trainer.of("good", "finished")
    failed = trainer.of("lost", "failed")[0]
    assert (failed.code, "nowhere" in failed.message) == ("bad_input", True)


def test_cancel_and_drain_end_at_the_next_step(trainer: Trainer, world: World, tmp_path: Path) -> None:
    arms = {name: world.arm(name, epochs=900, evaluations=1) for name in ("none", "dropkey")}
    trainer.send(start(world, tmp_path, arms))
    trainer.until(lambda event: event.type == "steps" and event.run_id == "dropkey")
    trainer.send(Cancel(run_id="none", fence=1))
    trainer.until(lambda event: event.type == "cancelled" and event.run_id == "none", 5)
    trainer.send(Drain())
    drained = trainer.until(lambda event: event.type == "drained", 5)
    checkpoint = trainer.of("dropkey", "checkpoint")[-1]
    assert drained.run_id == "dropkey"
    assert checkpoint.step == drained.step > 0
    assert Path(checkpoint.folder).is_dir()
    assert trainer.process.wait(10) == 0


def test_it_goes_with_its_supervisor(trainer: Trainer, world: World, tmp_path: Path) -> None:
    trainer.send(start(world, tmp_path, {"none": world.arm(epochs=900, evaluations=1)}))
    trainer.until(lambda event: event.type == "steps")
    assert trainer.process.stdin is not None
    trainer.process.stdin.close()
    trainer.process.wait(10)
