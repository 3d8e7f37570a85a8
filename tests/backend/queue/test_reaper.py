"""The reaper takes runs from workers that have vanished, and from no others."""

import time
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.queue.reaper import Pulse, Reaper
from backend.shared.database import Database
from backend.shared.process import this_process
from backend.shared.settings import Settings
from backend.shared.store import queue, workers
from backend.shared.tables import Worker
from tests.backend.queue.test_claims import claim, planted
from tests.backend.queue.test_endings import attempt_ends, run_of


class Clock:
    """A monotonic clock that a test moves."""

    def __init__(self) -> None:
        self.at = 1000.0

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def rings() -> list[int]:
    return []


@pytest.fixture
def reaper(database: Database, settings: Settings, clock: Clock, rings: list[int]) -> Reaper:
    return Reaper(database, settings, lambda: rings.append(1), clock)


def test_silence_is_counted_from_when_it_was_first_seen() -> None:
    pulse = Pulse(lease_s=10)
    assert pulse.silent({"a": 1, "b": 1}, at=0) == set()
    assert pulse.silent({"a": 1, "b": 2}, at=9.9) == set()
    assert pulse.silent({"a": 1, "b": 2}, at=10) == {"a"}
    assert pulse.silent({"b": 2}, at=20) == {"b"}
    assert pulse.silent({"a": 1}, at=30) == set()  # forgotten meanwhile: it starts anew


def test_run_with_a_beating_heart_is_left_alone(
    database: Database, settings: Settings, worker_id: str, reaper: Reaper, clock: Clock
) -> None:
    _, (run_id,) = planted(database)
    pack = claim(database, worker_id)
    assert pack is not None
    for _ in range(10):
        clock.at += settings.lease_s * 0.9
        assert reaper.tick() == 0
        with database.write() as session:
            queue.renew(session, pack, settings.lease_s)
            workers.heartbeat(session, worker_id)
    assert run_of(database, run_id).status == "running"


def test_silent_worker_loses_its_runs_after_one_lease(
    database: Database, settings: Settings, worker_id: str, reaper: Reaper, clock: Clock, rings: list[int]
) -> None:
    _, runs = planted(database, arms=2)
    claim(database, worker_id)
    assert reaper.tick() == 0
    clock.at += settings.lease_s - 0.01
    assert reaper.tick() == 0
    assert rings == []
    clock.at += 0.01
    assert reaper.tick() == 2
    assert rings == [1]
    assert [run_of(database, run_id).status for run_id in runs] == ["queued", "queued"]
    assert attempt_ends(database, runs[0]) == ["lost"]
    with database.read() as session:
        assert session.get_one(Worker, worker_id).stopped_at is not None


@pytest.mark.parametrize(
    ("change", "taken"),
    [
        ({"pid": 2**22 + 5}, 1),
        ({"started": 1.0}, 1),
        ({"host": "elsewhere"}, 0),
        ({"host": "elsewhere", "pid": 2**22 + 5}, 0),
    ],
)
def test_dead_process_of_this_host_is_found_at_once(
    database: Database, worker_id: str, reaper: Reaper, change: dict[str, Any], taken: int
) -> None:
    """A pid that is gone, or that belongs to a later process; of another host's processes nothing is known."""
    planted(database)
    process = replace(this_process(), **change)
    with database.write() as session:
        values = {"host": process.host, "pid": process.pid, "process_started": process.started}
        session.execute(update(Worker).where(Worker.id == worker_id).values(**values))
    claim(database, worker_id)
    assert reaper.tick() == taken


def test_ring_once_for_all_that_waits(database: Database, reaper: Reaper, rings: list[int]) -> None:
    reaper.tick()
    assert rings == []
    planted(database, arms=4, seeds=4)
    reaper.tick()
    assert rings == [1]


def test_thread_survives_a_database_that_is_away(database: Database, settings: Settings, rings: list[int]) -> None:
    """The table of workers vanishes and comes back; the reaper rings again."""
    quick = settings.model_copy(update={"reaper_s": 0.02})
    planted(database)
    reaper = Reaper(database, quick, lambda: rings.append(1))
    with database.write() as session:
        session.connection().exec_driver_sql("ALTER TABLE workers RENAME TO hidden")
    reaper.start()
    try:
        with database.read() as session:
            session.scalar(select(1))
        assert rings == []
        with database.write() as session:
            session.connection().exec_driver_sql("ALTER TABLE hidden RENAME TO workers")
        end = time.monotonic() + 5
        while not rings and time.monotonic() < end:
            time.sleep(0.01)
        assert rings
    finally:
        reaper.stop()
