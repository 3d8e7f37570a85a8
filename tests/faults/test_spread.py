"""T12 and T13: idle workers find waiting work at once, and lost work is found when every worker is busy."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.house import SCALE, House, child_of, until

Build = Callable[..., House]
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
HOURS = {"steps": 100_000, "step_s": 0.05, "evaluate_every": 100}


def test_t12_queued_work_is_spread(build: Build) -> None:
    """One worker is busy for hours and three runs wait; a second worker starts."""
    house = build()
    house.start(1)
    (busy,) = house.plant(HOURS)
    house.wait_step(busy, 1)
    waiting = [house.plant({"steps": 20})[0] for _ in range(3)]
    house.start_worker()
    house.wait_workers(2)
    ready = time.monotonic()
    delays = []
    for run_id in waiting:
        until(lambda r=run_id: house.run(r).fence, "its claim", 30)
        delays.append(time.monotonic() - ready)
    print(f"T12: claimed {', '.join(f'{d:.1f}' for d in delays)} s after the second worker was ready, bar 2 s (first)")
    assert delays[0] <= 2


@pytest.mark.parametrize("how", ["killed", "frozen"])
def test_t13_reaper_runs_when_all_are_busy(build: Build, how: str) -> None:
    """Both workers are busy for hours; one is lost. Its run waits again, though nobody is free to look."""
    house = build()
    house.start(2)
    runs = [house.plant(HOURS)[0] for _ in range(2)]
    for run_id in runs:
        house.wait_step(run_id, 1)
    pid = house.owner_pid(runs[0])
    victim = next(worker for worker in house.workers if child_of(worker) == pid)
    stopped = house.freeze(victim) if how == "frozen" else []
    if how == "killed":
        victim.kill()
    begun = time.monotonic()
    until(lambda: house.run(runs[0]).status == "queued", "the reaper", 45 * SCALE + 10)
    took = time.monotonic() - begun
    for one in reversed(stopped):
        os.kill(one, signal.SIGCONT)
    print(f"T13 {how}: queued again after {took:.1f} s, bar {45 * SCALE:g} s")
    assert took <= 45 * SCALE
    assert house.ends(runs[1]) == [None]
