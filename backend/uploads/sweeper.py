"""Throws away what nobody will come back for: uploads that stand still, folders that a dead process left half made."""

import logging
import shutil
import threading
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path

from sqlalchemy import delete, select

from backend.shared.catalogue.adapters import adapters_root
from backend.shared.catalogue.datasets import datasets_root
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.tables import now
from backend.shared.upload_tables import Upload

from . import service

log = logging.getLogger(__name__)
Senders = dict[str, object]  # upload → the request that sends it now
EVERY_S = 10.0
STRAY_S = 3600.0  # a file without a row is left for this long: its row may be on its way


def sweep(database: Database, settings: Settings, sending: Collection[str] = ()) -> int:
    """One look; returns how many uploads were thrown away. `sending`: those that a request adds to, or flushes, now."""
    idle = now() - timedelta(seconds=settings.upload_idle_s)
    old = (~Upload.complete & (Upload.touched_at < idle)) | (Upload.touched_at < now() - service.KEPT)
    with database.read() as session:
        found = [upload_id for upload_id in session.scalars(select(Upload.id).where(old)) if upload_id not in sending]
    if found:
        with database.write() as session:
            gone = list(session.scalars(delete(Upload).where(Upload.id.in_(found), old).returning(Upload.id)))
        for upload_id in gone:
            service.file_of(settings, upload_id).unlink(missing_ok=True)
        found = gone
    _strays(database, settings)
    return len(found)


def _strays(database: Database, settings: Settings) -> None:
    folder = service.folder(settings)
    aged = [path for path in folder.iterdir() if _is_old(path)] if folder.is_dir() else []
    if aged:
        with database.read() as session:
            known = set(session.scalars(select(Upload.id).where(Upload.id.in_([path.name for path in aged]))))
        for path in aged:
            if path.name not in known:
                path.unlink(missing_ok=True)
    for root in (datasets_root(settings.shared), adapters_root(settings.shared)):
        for path in root.glob(".*") if root.is_dir() else ():
            if path.is_dir() and all(_is_old(part) for part in (path, *path.iterdir())):
                shutil.rmtree(path, ignore_errors=True)


def _is_old(path: Path) -> bool:
    try:
        return path.stat().st_mtime < time.time() - STRAY_S
    except FileNotFoundError:
        return False


class Sweeper:
    """Sweeps every ten seconds in a thread of its own."""

    def __init__(self, database: Database, settings: Settings, sending: Collection[str]) -> None:
        self.database, self.settings, self.sending = database, settings, sending
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

    def _loop(self) -> None:
        while not self._stopping.wait(EVERY_S):
            try:
                sweep(self.database, self.settings, self.sending)
            except Exception as error:  # it must outlive a database that is away
                log.warning("uploads could not be swept: %s", error)
