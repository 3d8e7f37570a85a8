"""Uploads: a file comes in pieces, goes on where it was cut off, and becomes one data set however often one asks.

The length of an upload's file is the truth about how much has come. An unfinished upload that nobody adds to is thrown
away soon, a finished one that nobody makes a data set of after some hours.
"""

import os
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from backend.accounts.principal import Principal
from backend.shared.database import Write
from backend.shared.errors import Conflict, InvalidInput, NotFound, TooLarge, Unavailable
from backend.shared.ids import new_id
from backend.shared.settings import Settings
from backend.shared.tables import now
from backend.shared.upload_tables import Upload

KEPT = timedelta(hours=3)  # a finished file, or the answer to a commit, since it was last asked for
MOST_OPEN = 20  # unfinished or unused uploads of one person
CHECK_DISK_BYTES = 16 << 20
WAIT_S = 10.0  # longer than a preview takes
READERS = 2  # files that are read at once: reading takes processor time from every answer
imports = threading.BoundedSemaphore(READERS)
previews = threading.BoundedSemaphore(READERS)  # an import takes minutes, a preview seconds


def folder(settings: Settings) -> Path:
    """Where the bytes of uploads lie."""
    return settings.shared / "uploads"


def file_of(settings: Settings, upload_id: str) -> Path:
    """The file of an upload, which may not be there yet."""
    return folder(settings) / upload_id


def received(settings: Settings, upload: Upload) -> int:
    """Bytes that have come."""
    try:
        return file_of(settings, upload.id).stat().st_size
    except FileNotFoundError:
        return 0


def create(session: Write, settings: Settings, who: Principal, name: str, size: int | None) -> Upload:
    """Announce a file of so many bytes (None: as many as come).

    Raises:
        TooLarge: over the cap.
        Unavailable: too little free space for it.
        Conflict: the person has too many uploads lying about.
    """
    if size is not None and size > settings.max_upload_bytes:
        raise too_large(settings)
    check_space(settings, size or 0)
    mine = select(func.count()).select_from(Upload).where(Upload.created_by == who.user_id)
    if (session.scalar(mine.where(Upload.dataset_id.is_(None))) or 0) >= MOST_OPEN:
        raise Conflict(f"you have {MOST_OPEN} uploads that no data set was made of; delete some, or wait a while")
    row = Upload(
        id=new_id("upload"),
        workspace_id=who.workspace_id,
        created_by=who.user_id,
        name=name,
        bytes=size,
        complete=False,
    )
    session.add(row)
    session.flush()
    return row


def get(session: Session, upload_id: str) -> Upload:
    """An upload; NotFound."""
    found = session.get(Upload, upload_id)
    if found is None:
        raise NotFound(f"there is no upload '{upload_id[:100]}': it was deleted, or nothing came for too long")
    return found


def touch(session: Write, upload_id: str, *, whole: int | None = None) -> None:
    """Keep an upload from being thrown away for a while longer; `whole`: all of its so many bytes have come."""
    values = {"touched_at": now()} | ({} if whole is None else {"complete": True, "bytes": whole})
    session.execute(update(Upload).where(Upload.id == upload_id).values(**values))


def delete(session: Write, settings: Settings, upload_id: str) -> None:
    """Throw an upload away, with what has come of it."""
    found = session.get(Upload, upload_id)
    if found is not None:
        session.delete(found)
    file_of(settings, upload_id).unlink(missing_ok=True)


def require_complete(upload: Upload, settings: Settings) -> Path:
    """The file of an upload all of which has come; Conflict."""
    if not upload.complete:
        of = "" if upload.bytes is None else f" of {upload.bytes:,}"
        raise Conflict(f"{received(settings, upload):,}{of} bytes have come so far; send the rest first")
    path = file_of(settings, upload.id)
    if not path.is_file():
        raise NotFound("the file of this upload is not on this server any more; send it again")
    return path


@contextmanager
def reading(places: threading.BoundedSemaphore = imports) -> Iterator[None]:
    """Take one of the few places for reading a file; Unavailable where all are taken."""
    if not places.acquire(timeout=WAIT_S):
        raise Unavailable("other files are being read just now; try again in a moment")
    try:
        yield
    finally:
        places.release()


def too_large(settings: Settings) -> TooLarge:
    """The refusal of a file over the cap."""
    return TooLarge(
        f"the file has more than {settings.max_upload_bytes:,} bytes, the most that are taken here; send a part of it"
    )


def check_space(settings: Settings, size: int) -> None:
    """Raises Unavailable where a file of so many bytes would leave too little free space."""
    settings.shared.mkdir(parents=True, exist_ok=True)
    if shutil.disk_usage(settings.shared).free - size < settings.disk_floor_bytes:
        raise Unavailable("there is too little free space in the data folder; free some and try again")


class Sink:
    """The open file of an upload, at a known offset. All methods may block on the disk."""

    def __init__(self, settings: Settings, upload: Upload, offset: int) -> None:
        """Raises Conflict where `offset` is not the number of bytes that have come."""
        self.settings, self.announced = settings, upload.bytes
        self.size = received(settings, upload)
        if offset != self.size:
            raise Conflict(f"{self.size:,} bytes have come so far; go on with offset={self.size}")
        folder(settings).mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_WRONLY | os.O_CREAT | os.O_NOFOLLOW
        self._file = os.open(file_of(settings, upload.id), flags, 0o600)
        self._unchecked = 0

    @property
    def most(self) -> int:
        """No more bytes than this are taken."""
        return self.settings.max_upload_bytes if self.announced is None else self.announced

    def expect(self, length: int) -> None:
        """Refuse a body of `length` bytes that would not fit; raises TooLarge or InvalidInput."""
        if self.size + length > self.settings.max_upload_bytes:
            raise too_large(self.settings)
        if self.size + length > self.most:
            raise InvalidInput(f"more bytes came than the {self.most:,} that were announced; announce the file anew")

    def write(self, data: bytes) -> None:
        """Append; raises as `expect` does, and Unavailable on a full disk. Then what came before stays."""
        self.expect(len(data))
        self._unchecked += len(data)
        if self._unchecked >= CHECK_DISK_BYTES:
            check_space(self.settings, 0)
            self._unchecked = 0
        view = memoryview(data)
        try:
            while view:
                done = os.pwrite(self._file, view, self.size)
                self.size, view = self.size + done, view[done:]
        except OSError as error:
            raise Unavailable(f"the file cannot be stored ({error.strerror}); make room and try again") from error

    def finish(self) -> bool:
        """Whether the body that has ended was the last one; if so the file is made durable."""
        if self.announced is not None and self.size < self.announced:
            return False
        os.fsync(self._file)
        return True

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)
