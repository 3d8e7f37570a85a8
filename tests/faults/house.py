"""The real processes of the product around one home folder, each in a group of its own, to be killed at will.

With a `World` the workers train it by the real engine; without one their trainer is the toy, which misbehaves as told.
Leases are 3 s where the product's are 30 s (DROPSCOPE_TEST_LEASE_S); bars that speak of leases are scaled alike.
"""

import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil
from pydantic import SecretStr
from sqlalchemy import select

from backend.embedded import home as stack_home
from backend.embedded import valkey
from backend.embedded.child import Child
from backend.migrations.runner import migrate
from backend.shared.database import Database, open_database
from backend.shared.process import this_host
from backend.shared.settings import Settings
from backend.shared.store import workers
from backend.shared.tables import Attempt, Run
from tests.faults.real_engine import BATCH_SIZE, World
from tests.make_queue_studies import digest, plant, plant_arms
from tests.processes import is_running

ODD_WORKER = str(Path(__file__).with_name("odd_worker.py"))
LEASE_S = float(os.environ.get("DROPSCOPE_TEST_LEASE_S", "3"))
SCALE = LEASE_S / 30
POLL_S = 0.03  # a look costs a few milliseconds of the cores that the tested processes run on


def until(condition: Callable[[], Any], what: str, timeout: float = 60.0) -> Any:
    """Wait for a condition on what the product says; return what it gave."""
    end = time.monotonic() + timeout
    while time.monotonic() < end:
        if found := condition():
            return found
        time.sleep(POLL_S)
    raise AssertionError(f"waited {timeout} s in vain for: {what}")


class House:
    """Valkey, workers, and the web server, around one database."""

    def __init__(
        self,
        database_url: str | None = None,
        world: World | None = None,
        home: Path | None = None,
        migrated: bool = True,
        **given: Any,
    ) -> None:
        self.world = world
        self.home = home or Path(tempfile.mkdtemp(prefix="ds-"))
        seed = int(os.environ.get("DROPSCOPE_TEST_SEED", random.SystemRandom().randrange(10**6)))
        self.random = random.Random(seed)
        print(f"seed {seed} (DROPSCOPE_TEST_SEED)")
        socket = self.home / "valkey.sock"
        quick = {
            "lease_s": LEASE_S,
            "heartbeat_s": LEASE_S / 6,
            "reaper_s": LEASE_S / 6,
            "cancel_grace_s": 2.0,
            "flush_s": 0.2,
            "checkpoint_s": 1.0,
            "disk_floor_bytes": 0,
            "broker_url": SecretStr(f"redis+socket://{socket}"),
        }
        if database_url is not None:
            quick["database_url"] = SecretStr(database_url)
        self.settings = Settings(home=self.home, **{**quick, **given})
        stack_home.prepare(self.settings)
        if migrated:
            if world is not None:
                world.furnish(self.home)
            migrate(self.settings)
        self.database: Database = open_database(self.settings)
        self.socket = socket
        self.broker: Child | None = None
        self.api: Child | None = None
        self.workers: list[Child] = []
        self.url = ""

    # Processes

    def start_broker(self) -> None:
        self.broker = valkey.start(self.socket, self.home / "valkey", self.home / "logs" / "valkey.log")

    def start_api(self, worker_count: int = 0, **environment: str) -> None:
        """`dropscope up`; its own workers have the real trainer. `environment` is added to its own."""
        (self.home / "stack.json").unlink(missing_ok=True)
        dropscope = str(Path(sys.executable).parent / "dropscope")
        command = [dropscope, "up", "--no-browser", "--port", "0", "--workers", str(worker_count)]
        self.api = Child([sys.executable, *command], self.home / "logs" / "api.log", self.environment() | environment)
        self.url = until(self._told_url, "the web server")

    def start_worker(self, drain_s: float = 3.0, **environment: str) -> Child:
        if self.world is not None and "HOSTILE_BROKER" not in environment:
            arguments = ["-m", "worker", "--drain-s", str(drain_s)]
        else:
            arguments = [ODD_WORKER, str(drain_s), "toy" if self.world is None else "real"]
        command = [sys.executable, "-P", *arguments]
        child = Child(command, self.home / "logs" / f"worker-{len(self.workers)}.log", self.environment() | environment)
        self.workers.append(child)
        return child

    def start(self, worker_count: int = 2) -> None:
        """All of it; returns when the workers have registered."""
        self.start_broker()
        self.start_api()
        for _ in range(worker_count):
            self.start_worker()
        self.wait_workers(worker_count)

    def wait_workers(self, count: int) -> None:
        until(lambda: len(self.alive_workers()) >= count, f"{count} workers")

    def close_processes(self) -> None:
        for child in (*self.workers, self.api, self.broker):
            if child is not None:
                child.kill()

    def close(self) -> None:
        self.close_processes()
        self.database.close()
        orphans = self.orphans()
        for pid in orphans:
            os.kill(pid, signal.SIGKILL)
        shutil.rmtree(self.home, ignore_errors=True)
        assert not orphans, f"processes left behind: {orphans}"

    def environment(self) -> dict[str, str]:
        given = {
            f"DROPSCOPE_{name.upper()}": value.get_secret_value() if isinstance(value, SecretStr) else str(value)
            for name, value in self.settings
            if name in self.settings.model_fields_set and value is not None
        }
        kept = {name: value for name, value in os.environ.items() if not name.startswith("DROPSCOPE_")}
        return {**kept, **given, "OMP_NUM_THREADS": "1"}

    def orphans(self) -> list[int]:
        """Processes of this house that still run, two seconds after all that should end them: none, one hopes."""
        deadline = time.monotonic() + 2
        while (found := self.ours()) and time.monotonic() < deadline:
            time.sleep(0.05)
        return found

    def trainers(self) -> list[int]:
        """Pids of the trainers of this house."""
        return self.ours("toy_trainer.py" if self.world is None else "worker.trainer")

    def ours(self, mark: str = "") -> list[int]:
        """Pids of this house's processes, of those whose command names `mark`."""
        marker = f"DROPSCOPE_HOME={self.home}\0".encode()
        found = []
        for process in psutil.process_iter(["pid", "cmdline", "status"]):
            if process.info["status"] == psutil.STATUS_ZOMBIE or not process.info["cmdline"]:
                continue
            if mark and not any(mark in part for part in process.info["cmdline"]):
                continue
            try:
                environment = Path(f"/proc/{process.pid}/environ").read_bytes() + b"\0"
                supervised = self._log_of(process.pid)
            except OSError:
                continue
            if marker in environment or supervised.startswith(str(self.home)):
                found.append(process.pid)
        return found

    @staticmethod
    def _log_of(pid: int) -> str:
        """Where a process writes its output: a trainer's environment does not name the home, its log lies there."""
        return os.readlink(f"/proc/{pid}/fd/1")

    def _told_url(self) -> str | None:
        assert self.api is not None
        assert self.api.is_alive(), self.api.last_line()
        try:
            told = json.loads((self.home / "stack.json").read_text())
            return str(told["url"]) if httpx.get(f"{told['url']}/healthz", timeout=2).is_success else None
        except (OSError, ValueError, httpx.HTTPError):
            return None

    # What the database says

    def plant(self, *toys: dict[str, Any], seeds: int = 1, **study: Any) -> list[str]:
        with self.database.write() as session:
            return plant(session, list(toys), seeds, **study)[1]

    def plant_real(
        self, arms: int = 2, seeds: int = 2, epochs: int = 20, evaluations: int = 6, batch_size: int = BATCH_SIZE
    ) -> list[str]:
        """A study for the real engine; its runs' ids."""
        assert self.world is not None
        with self.database.write() as session:
            return plant_arms(session, self.world.arms(epochs, evaluations, arms, batch_size), seeds)[1]

    def plant_long(self) -> str:
        """A run that keeps a worker busy for a quarter of an hour, or longer: 96,000 steps; its id."""
        return self.plant_real(arms=1, seeds=1, epochs=1000, evaluations=100, batch_size=1)[0]

    def run(self, run_id: str) -> Run:
        with self.database.read() as session:
            return session.get_one(Run, run_id)

    def statuses(self) -> list[str]:
        with self.database.read() as session:
            return list(session.scalars(select(Run.status).order_by(Run.study_id, Run.position)))

    def ends(self, run_id: str) -> list[str | None]:
        with self.database.read() as session:
            return list(session.scalars(select(Attempt.end).where(Attempt.run_id == run_id).order_by(Attempt.fence)))

    def alive_workers(self) -> list[tuple[str, int]]:
        """(id, pid) of the supervising processes that run."""
        with self.database.read() as session:
            known = [(w.id, w.host, w.pid) for w in workers.running(session)]
        return [(worker_id, pid) for worker_id, host, pid in known if host == this_host() and is_running(pid)]

    def idle_workers(self) -> list[str]:
        """Ids of the workers that run and own no run now."""
        with self.database.read() as session:
            busy = set(session.scalars(select(Run.worker_id).where(Run.status == "running")))
        return [worker_id for worker_id, _ in self.alive_workers() if worker_id not in busy]

    def owner_pid(self, run_id: str) -> int | None:
        """Pid of the process that supervises a run now."""
        owner = self.run(run_id).worker_id
        return next((pid for worker_id, pid in self.alive_workers() if worker_id == owner), None)

    def attempts(self) -> list[str | None]:
        """Why every attempt at every run ended."""
        with self.database.read() as session:
            return list(session.scalars(select(Attempt.end).order_by(Attempt.started_at)))

    def freeze(self, worker: Child) -> list[int]:
        """SIGSTOP a worker with all that belongs to it: alive to the system, silent to everybody else."""
        stopped = [worker.pid, *(one.pid for one in psutil.Process(worker.pid).children(recursive=True))]
        for pid in stopped:
            os.kill(pid, signal.SIGSTOP)
        return stopped

    def wait_step(self, run_id: str, step: int, timeout: float = 60.0) -> None:
        until(lambda: self.run(run_id).step >= step, f"step {step} of {run_id}", timeout)

    def wait_all(self, timeout: float = 120.0) -> list[str]:
        """Statuses when nothing is queued or running any more."""
        until(lambda: not {"queued", "running"} & set(self.statuses()), "the end of all runs", timeout)
        return self.statuses()

    def digest(self, *run_ids: str) -> str:
        """Digest of all studies, or of those that these runs belong to."""
        studies = sorted({self.run(run_id).study_id for run_id in run_ids}) or None
        return digest(self.database, self.home, studies)


def child_of(worker: Child) -> int:
    """Pid of the supervising child of a worker's main process."""
    return until(lambda: [c.pid for c in psutil.Process(worker.pid).children()], "the worker's child")[0]
