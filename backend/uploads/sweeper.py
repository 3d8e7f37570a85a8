"""Throws away what nobody will come back for: uploads that stand still, folders that a dead process left half made.

How long a thing has stood still is told by a clock that nobody sets: by the machine's own, a step forwards would make
every file that is on its way old at once. So it counts from when this process first saw it as it is.
"""

import logging
import shutil
import threading
import time
from collections.abc import Callable, Collection, Hashable
from pathlib import Path

from sqlalchemy import delete, select

from backend.shared.catalogue.adapters import adapters_root
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.upload_tables import Upload

from . import service

log = logging.getLogger(__name__)
Senders = dict[str, object]  # upload → the request that sends it now
EVERY_S = 10.0
STRAY_S = 3600.0  # a file without a row is left for this long: its row may be on its way


class Still:
    """Since when each thing has stood as it stands."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._seen: dict[Hashable, tuple[Hashable, float]] = {}

    def seconds(self, states: dict[Hashable, Hashable]) -> dict[Hashable, float]:
        """How long each key has been in its state; keys that are not given are forgotten."""
        at, before = self._clock(), self._seen
        self._seen = {}
        for key, state in states.items():
            known = before.get(key)
            self._seen[key] = known if known is not None and known[0] == state else (state, at)
        return {key: at - since for key, (_, since) in self._seen.items()}


class Sweeper:
    """Sweeps every ten seconds in a thread of its own. `sending`: uploads that a request adds to, or flushes, now."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        sending: Collection[str],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.database, self.settings, self.sending = database, settings, sending
        self._uploads, self._files = Still(clock), Still(clock)
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._loop, name="sweeper", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End; returns when the present look has ended."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()

    def sweep(self) -> int:
        """One look; returns how many uploads were thrown away."""
        with self.database.read() as session:
            rows = list(session.execute(select(Upload.id, Upload.complete, Upload.touched_at)))
        still = self._uploads.seconds({row.id: row.touched_at for row in rows})
        idle, kept = self.settings.upload_idle_s, service.KEPT.total_seconds()
        old = [row for row in rows if still[row.id] > (kept if row.complete else idle) and row.id not in self.sending]
        gone: list[str] = []
        if old:
            with self.database.write() as session:
                for row in old:  # unless somebody came back for it meanwhile
                    same = (Upload.id == row.id) & (Upload.touched_at == row.touched_at)
                    gone += session.scalars(delete(Upload).where(same).returning(Upload.id))
        for upload_id in gone:
            service.file_of(self.settings, upload_id).unlink(missing_ok=True)
        self._strays({row.id for row in rows})
        return len(gone)

    def _strays(self, known: set[str]) -> None:
        """Files whose rows are gone, and hidden folders that somebody filled, or moved aside to delete."""
        folder, shared = service.folder(self.settings), self.settings.shared
        files = [path for path in folder.iterdir() if path.name not in known] if folder.is_dir() else []
        for root in (datasets_root(shared), adapters_root(shared)):
            files += [path for path in root.glob(".*") if path.is_dir()] if root.is_dir() else []
        still = self._files.seconds({path: _written(path) for path in files})
        for path in files:
            if still[path] > STRAY_S:
                shutil.rmtree(path, ignore_errors=True) if path.is_dir() else path.unlink(missing_ok=True)

    def _loop(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                self.sweep()
            except Exception as error:  # it must outlive a database that is away
                log.warning("uploads could not be swept: %s", error)


def _written(path: Path) -> tuple[int, ...]:
    """Changes whenever something is written into a file, or into the files of a folder."""
    try:
        return tuple(one.stat().st_mtime_ns for one in (path, *(sorted(path.iterdir()) if path.is_dir() else ())))
    except FileNotFoundError:
        return ()
