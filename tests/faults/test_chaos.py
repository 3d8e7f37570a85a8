"""T37: a day of faults in twenty minutes. Whatever is killed, everything ends, with the same numbers, by itself.

The test plays the part of a service manager: it starts again what it killed, and does nothing else.
DROPSCOPE_TEST_CHAOS_S makes it shorter.
"""

import os
import signal
import time
from collections import Counter
from collections.abc import Callable

import pytest

from tests.faults.house import House, until
from tests.faults.real_engine import World
from tests.faults.real_postgres import Killable, killable_postgres

Build = Callable[..., House]
SECONDS = float(os.environ.get("DROPSCOPE_TEST_CHAOS_S", "1200"))
WAITING = 32  # runs that are kept queued, so that something is always in training


@pytest.mark.long
@pytest.mark.postgres
@pytest.mark.timeout(3600)
def test_t37_a_day_of_chaos(build: Build, world: World) -> None:
    """Two workers, the real engine, Postgres; every 6 to 40 s one of the processes dies."""
    peaceful = build(world=world)
    peaceful.start(1)
    peaceful.plant_real()
    assert set(peaceful.wait_all()) == {"succeeded"}
    undisturbed = peaceful.digest()
    peaceful.close_processes()
    with killable_postgres() as server:
        house = build(world=world, database_url=server.postgres.fresh(), checkpoint_s=2.0)
        try:
            house.start(2)
            _storm(house, server, undisturbed)
        finally:
            house.close_processes()
            house.database.close()


def _storm(house: House, server: Killable, undisturbed: str) -> None:
    studies: list[list[str]] = []
    kills: Counter[str] = Counter()
    acts = {"worker": _worker, "trainer": _trainer, "broker": _broker, "api": _api, "database": _database}
    begun = time.monotonic()
    while time.monotonic() - begun < SECONDS:
        while house.statuses().count("queued") < WAITING:
            studies.append(house.plant_real())
        pause_ends = time.monotonic() + house.random.uniform(6, 40)
        until(lambda at=pause_ends: time.monotonic() >= at, "the next fault", 60)
        victim = house.random.choice(list(acts))
        if acts[victim](house, server):
            kills[victim] += 1
            print(f"T37 {time.monotonic() - begun:5.0f} s: killed {victim}; {Counter(house.statuses())}", flush=True)
    stormed = time.monotonic()
    statuses = Counter(house.wait_all(600))
    drained = time.monotonic() - stormed
    equal = [house.digest(runs[0]) == undisturbed for runs in studies]
    ends = Counter(house.attempts())
    sunk = sum(house.run(run_id).status != "succeeded" for runs in studies for run_id in runs)
    for child in house.workers:
        child.ask_to_stop()
    for child in house.workers:
        assert child.wait(30), "a worker that does not stop"
    orphans = house.trainers()
    print(
        f"T37: {SECONDS / 60:.0f} min, {sum(kills.values())} kills {dict(kills)}; {sum(statuses.values())} runs "
        f"{dict(statuses)}, attempts {dict(ends)}; digest equal {sum(equal)}/{len(equal)}; backlog drained in "
        f"{drained:.0f} s; {len(orphans)} orphans; 0 manual steps"
    )
    assert set(statuses) <= {"succeeded", "failed", "cancelled"}
    assert orphans == []
    assert sunk == 0, f"{sunk} runs did not succeed"
    assert all(equal)


def _worker(house: House, _: Killable) -> bool:
    victim = house.random.choice([child for child in house.workers if child.is_alive()])
    victim.kill()
    house.workers.remove(victim)
    house.start_worker()
    return True


def _trainer(house: House, _: Killable) -> bool:
    trainers = house.trainers()
    if not trainers:
        return False  # it is between two
    os.kill(house.random.choice(trainers), signal.SIGKILL)
    return True


def _broker(house: House, _: Killable) -> bool:
    assert house.broker is not None
    house.broker.kill()
    house.start_broker()
    return True


def _api(house: House, _: Killable) -> bool:
    assert house.api is not None
    house.api.kill()
    house.start_api()
    return True


def _database(house: House, server: Killable) -> bool:
    house.database.engine.dispose()
    server.kill()
    server.start()
    return True
