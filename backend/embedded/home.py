"""The home folder of a stack: made and checked, held by one stack at a time, and telling others where it answers."""

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import sqlite3
import tempfile
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil

from backend.shared import home_path
from backend.shared.errors import StartupError
from backend.shared.files import is_everybodys, only_ours
from backend.shared.settings import Settings

_LONGEST_SOCKET_PATH = 100  # bytes; the system's limit is 108 on Linux, 104 on macOS
_PLAIN = re.compile(r"[\w./@+,=~-]+", re.ASCII)
_MEBI = 1 << 20
log = logging.getLogger(__name__)
_SMALLEST_FREE_BYTES = 64 * _MEBI  # enough for the database and a first run's files


@dataclass(frozen=True)
class Running:
    """A running stack: where it answers, whose process it is, and its broker for workers that join."""

    url: str
    pid: int
    broker_url: str


def prepare(settings: Settings) -> None:
    """Make the home folder and see that it can be used. Raises StartupError."""
    home_path.check(settings)
    home = settings.home
    remedy = "set DROPSCOPE_HOME to a folder you may write to"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if is_everybodys(home):
            raise StartupError(
                f"{home} is a folder that others use, too, and what lies in the data folder is for its owner alone; "
                f"set DROPSCOPE_HOME to a folder in it, such as {home / 'dropscope'}"
            )
        if not only_ours(home):
            log.warning("%s belongs to somebody else, who may let others at what lies in it", home)
        with tempfile.TemporaryFile(dir=home) as probe:
            probe.write(b"x")
        for folder in (settings.artifacts, settings.cache, home / "logs"):
            folder.mkdir(parents=True, exist_ok=True)
        for folder in (home / "logs", home / "backups", home / "valkey"):
            only_ours(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise StartupError(f"{error.filename} is a file where a folder is needed; {remedy}") from error
    except OSError as error:
        raise StartupError(f"the data folder {home} cannot be used ({error.strerror}); {remedy}") from error
    free = shutil.disk_usage(home).free
    if free < _SMALLEST_FREE_BYTES:
        raise StartupError(
            f"the disk of {home} has {free / _MEBI:.0f} MiB left, which is too little to start; free some space, or "
            "set DROPSCOPE_HOME to a folder on another disk"
        )
    _check_sqlite(settings)


def _check_sqlite(settings: Settings) -> None:
    """A file that is no database is said before anything touches it."""
    if settings.database_url is not None or not settings.sqlite_path.exists():
        return
    try:
        with closing(sqlite3.connect(f"{settings.sqlite_path.as_uri()}?mode=ro", uri=True)) as connection:
            connection.execute("PRAGMA schema_version")
    except sqlite3.DatabaseError as error:
        raise StartupError(
            f"{settings.sqlite_path} cannot be read as a database ({error}); put the newest backup in its place, or "
            "move it away to begin afresh"
        ) from error


def socket_path(settings: Settings) -> Path:
    """Where the embedded Valkey listens: in the home folder, or in a temporary one where that path is too long.

    Or where it has letters that mean something in a URL, which is how workers are told.
    """
    path = settings.broker_socket
    if len(os.fsencode(path)) < _LONGEST_SOCKET_PATH and _PLAIN.fullmatch(str(path)):
        return path
    mark = hashlib.sha256(os.fsencode(settings.home.resolve())).hexdigest()[:12]
    folder = Path(tempfile.gettempdir()) / f"dropscope-{os.getuid()}-{mark}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if found.st_uid != os.getuid() or found.st_mode & 0o077:
        raise StartupError(f"{folder} belongs to somebody else; remove it, or set DROPSCOPE_HOME to a shorter path")
    return folder / "valkey.sock"


def find_running(settings: Settings) -> Running | None:
    """The stack that holds this home folder, if one does."""
    try:
        told = Running(**json.loads(_state_file(settings).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return told if psutil.pid_exists(told.pid) else None


class HomeLock:
    """Held by the stack that uses a home folder; a second one is refused with a sentence."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._file = (settings.home / "stack.lock").open("a")

    def __enter__(self) -> Self:
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            other = find_running(self.settings)
            where = f" at {other.url} (process {other.pid})" if other else ""
            raise StartupError(
                f"Dropscope is already running on {self.settings.home}{where}; use that one, stop it, or set "
                "DROPSCOPE_HOME to another folder"
            ) from error
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _state_file(self.settings).unlink(missing_ok=True)
        self._file.close()

    def tell(self, url: str, broker_url: str) -> None:
        """Write down where this stack answers, for the command line and for workers that join."""
        partial = _state_file(self.settings).with_suffix(".tmp")
        partial.unlink(missing_ok=True)
        with open(partial, "x", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            file.write(json.dumps(asdict(Running(url, os.getpid(), broker_url))))
        partial.rename(_state_file(self.settings))


def _state_file(settings: Settings) -> Path:
    return settings.home / "stack.json"
