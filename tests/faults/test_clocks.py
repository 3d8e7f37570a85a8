"""T9: wall clocks that are wrong, or are set while runs are trained, neither lose nor reap a run."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.house import LEASE_S, SCALE, House, until
from tests.faults.real_engine import World

Build = Callable[..., House]
pytestmark = [pytest.mark.long, pytest.mark.timeout(900)]


class Clock:
    """Environment of a process whose wall clock is off by the seconds last set."""

    def __init__(self, library: Path, file: Path) -> None:
        self.file = file
        self.environment = {"LD_PRELOAD": str(library), "SHIFT_FILE": str(file)}
        self.set(0)

    def set(self, seconds: int) -> None:
        partial = self.file.with_suffix(".new")
        partial.write_text(str(seconds))
        partial.rename(self.file)


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None:
        pytest.skip("T9 sets clocks through a small C library, and this machine has no C compiler")
    library = tmp_path / "clock.so"
    source = Path(__file__).with_name("clock.c")
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(source), "-ldl"], check=True)
    shifted = Clock(library, tmp_path / "shift")
    shifted.set(3600)
    told = subprocess.run(["date", "+%s"], env=os.environ | shifted.environment, capture_output=True, check=True)
    assert abs(int(told.stdout) - time.time() - 3600) < 10, "the clock could not be set"
    return shifted


def watch(house: House, leases: float, act: Callable[[float], None] = lambda _: None) -> None:
    """Let time pass, and do `act` with the leases gone by; no attempt may end meanwhile."""
    begun = time.monotonic()
    while (gone := time.monotonic() - begun) < leases * LEASE_S:
        assert house.attempts() == [None], house.attempts()
        act(gone / LEASE_S)
        time.sleep(0.1)


def found_dead(house: House, run_id: str) -> float:
    """Freeze the worker (its process stays alive) and take the time until its run waits again."""
    stopped = house.freeze(house.workers[-1])
    begun = time.monotonic()
    until(lambda: house.run(run_id).status == "queued", "the reaper", 45 * SCALE + 10)
    took = time.monotonic() - begun
    for pid in reversed(stopped):
        os.kill(pid, signal.SIGCONT)
    house.workers[-1].kill()
    return took


@pytest.mark.parametrize("hours", [1, -1])
def test_t9_worker_whose_clock_is_wrong(build: Build, world: World, clock: Clock, hours: int) -> None:
    house = build(world=world)
    house.start_broker()
    house.start_api()
    clock.set(3600 * hours)
    house.start_worker(**clock.environment)
    run_id = house.plant_long()
    house.wait_step(run_id, 1)
    watch(house, 3)
    took = found_dead(house, run_id)
    print(f"T9 worker {hours:+d} h: 0 reaped in 3 leases; frozen worker found after {took:.1f} s, bar {45 * SCALE:g} s")
    assert took <= 45 * SCALE


def test_t9_reaper_whose_clock_is_set(build: Build, world: World, clock: Clock) -> None:
    """The wall clock of the web server steps by ten minutes, forwards and back, again and again."""
    house = build(world=world)
    house.start_broker()
    house.start_api(**clock.environment)
    house.start_worker()
    run_id = house.plant_long()
    house.wait_step(run_id, 1)
    steps = [0]

    def step(leases: float) -> None:
        wanted = int(leases * 2)
        if wanted > steps[-1]:
            steps.append(wanted)
            clock.set(600 if wanted % 2 else -600)

    watch(house, 4, step)
    clock.set(600)
    took = found_dead(house, run_id)
    print(
        f"T9 reaper: {len(steps) - 1} steps of ±10 min, 0 reaped in 4 leases; frozen worker found after {took:.1f} s, "
        f"bar {45 * SCALE:g} s"
    )
    assert took <= 45 * SCALE
