"""A supervisor with the toy trainer on a database of its own, driven from a thread while the test looks on."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from backend.shared.database import Database, open_database
from backend.shared.settings import Settings
from backend.shared.tables import Attempt, Run
from tests.databases import sqlite_template
from tests.make_queue_studies import plant
from worker.supervisor.heartbeat import Heartbeat
from worker.supervisor.supervisor import Supervisor

TOY = (sys.executable, str(Path(__file__).parents[1] / "toy_trainer.py"))
WAIT_S = 20.0


def until(condition: Callable[[], Any], what: str, timeout: float = WAIT_S) -> Any:
    """Wait for a condition on the database; return what it gave."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(0.01)
    raise AssertionError(f"waited {timeout} s in vain for: {what}")


class House:
    """A home, its database, and one supervisor at work in a thread."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database: Database = open_database(settings)
        self.heartbeat = Heartbeat(self.database, settings, "cpu", "0")
        self.rings: list[int] = []
        self.supervisor = Supervisor(
            self.database, settings, self.heartbeat, lambda: self.rings.append(1), drain_s=1.0, trainer_command=TOY
        )
        self._thread: threading.Thread | None = None
        self.packs = 0

    def plant(self, *toys: dict[str, Any], seeds: int = 1) -> list[str]:
        with self.database.write() as session:
            return plant(session, list(toys), seeds)[1]

    def begin(self) -> None:
        """Look into the queue, in a thread that lives as long as its trainer."""
        self.heartbeat.start()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()

    def join(self, timeout: float = WAIT_S) -> None:
        assert self._thread is not None
        self._thread.join(timeout)
        assert not self._thread.is_alive()

    def train(self) -> None:
        """Train all that waits, to its end."""
        self.begin()
        self.join()

    def close(self) -> None:
        if self._thread is not None:
            self.heartbeat.draining = True
            self._thread.join()
            self.heartbeat.stop()
        self.database.close()

    def run(self, run_id: str) -> Run:
        with self.database.read() as session:
            return session.get_one(Run, run_id)

    def statuses(self, runs: list[str]) -> list[str]:
        return [self.run(run_id).status for run_id in runs]

    def attempts(self, run_id: str) -> list[Attempt]:
        with self.database.read() as session:
            return list(session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.fence)))

    def ends(self, run_id: str) -> list[str | None]:
        return [attempt.end for attempt in self.attempts(run_id)]

    def wait_step(self, run_id: str, step: int = 1) -> None:
        until(lambda: self.run(run_id).step >= step, f"step {step}")

    def _work(self) -> None:
        try:
            self.packs = self.supervisor.look()
        finally:
            self.supervisor.close()


Build = Callable[..., House]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    """Make a house; settings may be given."""
    houses: list[House] = []

    def make(**given: Any) -> House:
        quick = {"heartbeat_s": 0.2, "lease_s": 3.0, "flush_s": 0.1, "cancel_grace_s": 1.0, "disk_floor_bytes": 0}
        home = tmp_path / f"home-{len(houses)}"
        home.mkdir()
        settings = Settings(home=home, **{**quick, **given})
        sqlite_template(home)
        houses.append(House(settings))
        return houses[-1]

    yield make
    for house in houses:
        house.close()
