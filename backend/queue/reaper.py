"""The reaper: gives runs of vanished workers to others, and rings the doorbell for whatever waits.

It trusts no clock but its own: a run is lost when its heartbeat has not moved for a lease on this process's monotonic
clock, so skew and jumps of wall clocks cannot matter. A worker of this host whose process is dead is lost at once.
Any number of reapers may run; each step is a guarded write.
"""

import logging
import threading
import time
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field

from sqlalchemy import select

from backend.shared.database import Database, Read
from backend.shared.process import ProcessId, this_host
from backend.shared.run_status import AttemptEnd, RunStatus
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, workers
from backend.shared.tables import Run, Worker

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Lost:
    """A run to take from its worker, as it was when it was looked at."""

    run_id: str
    fence: int
    heartbeat_seq: int
    message: str


@dataclass
class Pulse:
    """Since when, on a monotonic clock, each heartbeat has stood where it stands."""

    lease_s: float
    _seen: dict[Hashable, tuple[int, float]] = field(default_factory=dict)

    def silent(self, beats: dict[Hashable, int], at: float) -> set[Hashable]:
        """Keys whose number has not moved for a lease; keys that are no longer given are forgotten."""
        before, self._seen = self._seen, {}
        for key, seq in beats.items():
            known = before.get(key)
            self._seen[key] = known if known is not None and known[0] == seq else (seq, at)
        return {key for key, (_, since) in self._seen.items() if at - since >= self.lease_s}


class Reaper:
    """Looks every `reaper_s` in a thread of its own; `ring` tells the workers to look into the queue."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        ring: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
        queue_more: Callable[[], object] = lambda: None,
    ) -> None:
        """queue_more: asked at each look for what studies want trained next by themselves."""
        self.database, self.settings, self.ring, self.clock = database, settings, ring, clock
        self.queue_more = queue_more
        self.reaped = 0  # runs taken from lost workers since the start
        self._host = this_host()
        self._runs, self._workers = Pulse(settings.lease_s), Pulse(settings.lease_s)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to look."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="reaper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stop looking; returns when the present look has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def tick(self) -> int:
        """One look: reap, then ring once if anything waits; return how many runs were taken from lost workers."""
        with self.database.read() as session:
            known = workers.running(session)
            dead = {worker.id for worker in known if self._is_dead(worker)}
            lost = self._lost(session, dead)
            mute = self._workers.silent({worker.id: worker.heartbeat_seq for worker in known}, self.clock())
        taken = sum(self._take(run) for run in lost)
        for worker in known:
            if worker.id in dead or worker.id in mute:
                with self.database.write() as session:
                    workers.stop(session, worker.id, worker.heartbeat_seq)
        self.reaped += taken
        self._more()
        with self.database.read() as session:
            waits = queue.work_waits(session)
        if waits:
            self.ring()
        return taken

    def _more(self) -> None:
        try:
            self.queue_more()
        except Exception:  # no study may keep runs of vanished workers from being given to others
            log.exception("a study could not be gone on with by itself")

    def _loop(self) -> None:
        while not self._stopping.is_set():
            try:
                self.tick()
            except Exception as error:  # the reaper must outlive a database that is away
                log.warning("the reaper could not look: %s", error)
            self._stopping.wait(self.settings.reaper_s)

    def _is_dead(self, worker: Worker) -> bool:
        process = ProcessId(worker.host, worker.pid, worker.process_started)
        return worker.host == self._host and not process.is_alive()

    def _lost(self, session: Read, dead: set[str]) -> list[Lost]:
        rows = session.execute(
            select(Run.id, Run.fence, Run.heartbeat_seq, Run.worker_id).where(Run.status == RunStatus.RUNNING)
        ).all()
        silent = self._runs.silent({(row.id, row.fence): row.heartbeat_seq for row in rows}, self.clock())
        lost = []
        for row in rows:
            if row.worker_id in dead:
                message = "Its worker's process ended without a word."
            elif (row.id, row.fence) in silent:
                message = f"Its worker had not been heard of for {self.settings.lease_s:g} s."
            else:
                continue
            lost.append(Lost(row.id, row.fence, row.heartbeat_seq, message))
        return lost

    def _take(self, run: Lost) -> bool:
        with self.database.write() as session:
            became = endings.lose(
                session,
                run.run_id,
                run.fence,
                AttemptEnd.LOST,
                run.message,
                self.settings.max_attempts,
                run.heartbeat_seq,
            )
        if became is not None:
            log.warning("run %s (fence %d) is %s: %s", run.run_id, run.fence, became, run.message)
        return became is not None
