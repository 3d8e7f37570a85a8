"""T18 and T19: a killed web server costs no listener an event; listeners that misbehave cost nobody else."""

import asyncio
import os
import signal
import sqlite3
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import psutil
import pytest

from tests.faults.house import House, until
from tests.faults.listeners import Listener, deaf, vanish
from tests.faults.real_engine import World

Build = Callable[..., House]
pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]
MEBI = 1 << 20


def over(event: dict[str, Any]) -> bool:
    return event["kind"] == "run" and event["data"].get("status") in ("succeeded", "failed")


def all_heard_since(listeners: list[Listener], moment: float) -> bool:
    return all(one.arrived and one.arrived[-1] > moment for one in listeners)


def test_t18_api_restart_loses_no_live_metric(build: Build, world: World) -> None:
    """Twenty listeners; the web server is killed five times in mid-stream and started again."""
    house = build(world=world)
    house.start(1)
    (run_id,) = house.plant_real(arms=1, seeds=1, epochs=1000, evaluations=500)
    path = f"/api/v1/studies/{house.run(run_id).study_id}/stream"
    listeners = [Listener() for _ in range(20)]
    kills = 0
    house.wait_step(run_id, 20)  # until its libraries are loaded there is nothing to hear

    async def everything() -> None:
        nonlocal kills
        reading = [asyncio.create_task(one.follow(lambda: house.url, path, over)) for one in listeners]
        while kills < 5:
            await asyncio.to_thread(house.wait_step, run_id, house.run(run_id).step + 200)
            assert house.api is not None
            os.killpg(house.api.pid, signal.SIGKILL)
            kills += 1
            await asyncio.to_thread(house.start_api)
            heard = partial(all_heard_since, listeners, time.monotonic())
            await asyncio.to_thread(until, heard, "everybody hears again")
        await asyncio.wait_for(asyncio.gather(*reading), 240)

    asyncio.run(everything())
    with house.database.read() as session:
        from backend.shared.store import study_events

        truth = [
            (e.seq, e.kind, e.run_id, e.data) for e in study_events.after(session, house.run(run_id).study_id, 0, 10**6)
        ]
    missing = wrong = 0
    for one in listeners:
        seen = {event["seq"]: (event["seq"], event["kind"], event["run_id"], event["data"]) for event in one.events}
        missing += len(truth) - len(seen)
        wrong += sum(seen[known[0]] != known for known in truth if known[0] in seen)
        wrong += len(one.events) - len(seen)  # the same event twice
    gaps = [max(b - a for a, b in zip(one.arrived, one.arrived[1:], strict=False)) for one in listeners]
    print(
        f"T18: {kills} kills, 20 listeners, {len(truth)} events each: {missing} missing, {wrong} wrong or double; "
        f"longest gap {max(gaps):.1f} s, bar 5 s"
    )
    assert house.ends(run_id) == ["succeeded"]
    assert (missing, wrong) == (0, 0)
    assert max(gaps) <= 5


def test_t19_slow_and_dead_listeners_cost_nothing(build: Build, world: World) -> None:
    """Two hundred listeners: fifty never read, fifty vanish without a FIN, a hundred behave."""
    house = build(world=world)
    house.start(1)
    (run_id,) = house.plant_real(arms=1, seeds=1, epochs=300, evaluations=500)
    path = f"/api/v1/studies/{house.run(run_id).study_id}/stream"
    assert house.api is not None
    server = psutil.Process(house.api.pid)
    good = [Listener() for _ in range(100)]
    house.wait_step(run_id, 20)
    before = server.memory_info().rss
    most = [before]
    never_read = [deaf(house.url, path) for _ in range(50)]
    gone = [deaf(house.url, path) for _ in range(50)]

    async def everything() -> None:
        reading = [asyncio.create_task(one.follow(lambda: house.url, path, over)) for one in good]
        await asyncio.to_thread(house.wait_step, run_id, 600)
        for connection in gone:
            vanish(connection)
        while not all(task.done() for task in reading):
            most.append(server.memory_info().rss)
            await asyncio.sleep(0.2)

    asyncio.run(asyncio.wait_for(everything(), 300))
    wal = house.settings.sqlite_path.with_name("dropscope.db-wal").stat().st_size
    with sqlite3.connect(house.settings.sqlite_path, timeout=10) as other:
        busy, *_ = other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    for connection in never_read:
        connection.close()
    live = sorted(wait for one in good for wait, event in zip(one.waits, one.events, strict=True) if event["seq"] > 50)
    p95 = live[int(len(live) * 0.95)]
    print(
        f"T19: memory +{(max(most) - before) / MEBI:.0f} MiB (bar 100), WAL {wal / MEBI:.1f} MiB (bar 64), readers "
        f"that hold the database open: {busy}; {len(live)} events, p95 {p95:.2f} s (bar 1 s), worst {live[-1]:.2f} s"
    )
    until(lambda: house.run(run_id).status == "succeeded", "the end")
    assert max(most) - before <= 100 * MEBI
    assert wal <= 64 * MEBI
    assert busy == 0
    assert p95 <= 1
