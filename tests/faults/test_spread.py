"""T12 and T13: idle workers find waiting work at once, and lost work is found when every worker is busy."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.faults.house import SCALE, House, child_of, until
from tests.faults.real_engine import World

Build = Callable[..., House]
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]


def test_t12_queued_work_is_spread(build: Build, world: World) -> None:
    """One worker is busy for long and three runs wait; a second worker starts."""
    house = build(world=world)
    house.start(1)
    busy = house.plant_long()
    house.wait_step(busy, 1)
    waiting = [house.plant_real(arms=1, seeds=1, epochs=1, evaluations=1)[0] for _ in range(3)]
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
def test_t13_reaper_runs_when_all_are_busy(build: Build, world: World, how: str) -> None:
    """Both workers are busy for long; one is lost. Its run waits again, though nobody is free to look."""
    house = build(world=world)
    house.start(2)
    runs = [house.plant_long() for _ in range(2)]
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
