"""The heart of a worker: a thread that says it is alive, renews the leases of its pack and hears what is asked of it.

It has its own database connection and waits for nobody, so a busy trainer or a slow write cannot starve it. When no
renewal has succeeded for most of a lease, by the monotonic clock, a second thread, which never waits for a database,
kills the trainer: somebody else may own the runs.
"""

import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from sqlalchemy.exc import DBAPIError

from backend.shared.database import Database
from backend.shared.errors import Unavailable
from backend.shared.process import this_process
from backend.shared.settings import Settings
from backend.shared.store import queue, workers
from backend.shared.store.queue import Pack, Renewal

log = logging.getLogger(__name__)
LOOK_S = 1.0
GIVE_UP_SHARE = 0.8  # of a lease without a renewal


@dataclass(frozen=True)
class Watch:
    """A pack in training, and how to stop its trainer."""

    pack: Pack
    kill: Callable[[], None]


class Heartbeat:
    """Registers this process as a worker and keeps it, and the pack it holds, alive in the database."""

    def __init__(self, database: Database, settings: Settings, device: str, version: str) -> None:
        self.database, self.settings = database, settings
        self.device, self.version = device, version
        self.worker_id = ""
        self.draining = False
        self.expired = False  # the leases of the present pack may have run out
        self.renewal: Renewal | None = None  # newest look at the present pack
        self._watch: Watch | None = None
        self._renewed_at = 0.0
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="heartbeat", daemon=True),
            threading.Thread(target=self._guard, name="lease-guard", daemon=True),
        ]

    def start(self) -> None:
        """Register, then keep time in threads."""
        while True:
            try:
                self._register()
                break
            except (Unavailable, DBAPIError) as error:
                log.warning("waiting for the database: %s", error)
                time.sleep(LOOK_S)
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """The worker is gone."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(timeout=5)
        try:
            with self.database.write() as session:
                workers.stop(session, self.worker_id)
        except (Unavailable, DBAPIError):
            log.warning("could not sign off; the reaper will find that this worker has gone")

    def watch(self, pack: Pack, kill: Callable[[], None]) -> None:
        """Renew the leases of this pack from now on; `kill` ends its trainer."""
        with self._lock:
            self._watch, self.expired, self.renewal = Watch(pack, kill), False, None
            self._renewed_at = time.monotonic()

    def unwatch(self) -> None:
        """The pack has ended."""
        with self._lock:
            self._watch = None

    def _run(self) -> None:
        beat_at = time.monotonic()
        tick = min(LOOK_S, self.settings.heartbeat_s / 2)
        while not self._stopping.wait(tick):
            due = time.monotonic() - beat_at >= self.settings.heartbeat_s
            try:
                if due:
                    beat_at = time.monotonic()
                    self._beat()
                else:
                    self._look()
            except (Unavailable, DBAPIError) as error:
                log.warning("heartbeat failed: %s", error)
            except Exception:
                log.exception("heartbeat failed")

    def _guard(self) -> None:
        while not self._stopping.wait(min(LOOK_S, self.settings.lease_s / 20)):
            self._check_expiry()

    def _beat(self) -> None:
        begun = time.monotonic()
        with self._lock:
            watch = self._watch
        with self.database.write() as session:
            renewal = queue.renew(session, watch.pack, self.settings.lease_s) if watch else None
            standing = workers.heartbeat(session, self.worker_id, self.device)
        self._heard(watch, renewal, begun)
        if not standing.known:
            log.warning("this worker was given up for lost; registering anew")
            self._register()
        elif standing.draining:
            self.draining = True

    def _look(self) -> None:
        with self._lock:
            watch = self._watch
        with self.database.read() as session:
            renewal = queue.look(session, watch.pack) if watch else None
            draining = workers.is_draining(session, self.worker_id)
        self._heard(watch, renewal, None)
        self.draining = self.draining or draining

    def _heard(self, watch: Watch | None, renewal: Renewal | None, renewed_at: float | None) -> None:
        with self._lock:
            if watch is not None and watch is self._watch:
                self.renewal = renewal
                self._renewed_at = renewed_at or self._renewed_at

    def _check_expiry(self) -> None:
        with self._lock:
            watch = self._watch
            silent = time.monotonic() - self._renewed_at
            if watch is None or self.expired or silent < GIVE_UP_SHARE * self.settings.lease_s:
                return
            self.expired = True
        log.error("no lease could be renewed for %.1f s; stopping the trainer", silent)
        watch.kill()

    def _register(self) -> None:
        with self.database.write() as session:
            self.worker_id = workers.register(session, this_process(), self.device, self.version)
