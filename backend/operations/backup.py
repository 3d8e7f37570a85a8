"""A backup of everything that a home holds, made while it runs, and its way back into an empty home.

A backup is a folder: `dropscope.db`, always SQLite, one consistent moment of the database (of Postgres too, so that a
backup may be restored into either kind); `artifacts/`, the adapters and checkpoints which that moment names;
`datasets/`, `models/` and `adapters/`; and `manifest.json` with the SHA-256 of every file, which is checked before a
restore.
"""

import hashlib
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, func, insert, select, update

from backend.migrations import runner
from backend.shared import report_tables, team_tables, upload_tables  # noqa: F401  (puts them into the metadata)
from backend.shared.database import Database, Write, open_database
from backend.shared.errors import Conflict, InvalidInput, StartupError, Unavailable
from backend.shared.files import is_everybodys, new_folder, only_ours, sealed, sha256_of, unsealed
from backend.shared.run_status import RunStatus
from backend.shared.settings import Settings
from backend.shared.store import endings
from backend.shared.tables import Artifact, Run, Study, Table, Worker, now

from .monitoring import version

DATABASE = "dropscope.db"
MANIFEST = "manifest.json"
FOLDERS = ("artifacts", "datasets", "models", "adapters")
RESTORED = "Restored from a backup; the run goes on from its checkpoint, or starts afresh."
_CHUNK, _ROWS = 1 << 20, 1000
_RESTORING = "restoring-"


@dataclass(frozen=True)
class Manifest:
    """What a backup holds: file → [SHA-256, bytes], and the version of program and database that wrote it."""

    program: str
    revision: str
    created_at: str
    studies: int
    runs: int
    files: dict[str, tuple[str, int]]

    @property
    def bytes(self) -> int:
        """Size of all files."""
        return sum(size for _, size in self.files.values())


def back_up(settings: Settings, target: Path) -> Manifest:
    """Write a backup as the new folder `target`; whoever works meanwhile is not disturbed.

    Raises:
        Conflict: the folder is there already.
        StartupError: the database is not at this program's version.
        Unavailable: the disk of the target has too little room, or cannot be written to; or files that the database
            names are missing or damaged.
    """
    if target.exists():
        raise Conflict(f"{target} is there already; name a folder that does not exist yet")
    database = open_database(settings)
    try:
        revision = _at_newest(database)
        with new_folder(target, first_stands=False) as folder:
            only_ours(folder)
            _copy_database(database, settings, folder)
            manifest = _fill(settings, folder, revision)
            (folder / MANIFEST).write_bytes(sealed(asdict(manifest)))
            for path in folder.rglob("*"):
                only_ours(path)
    except OSError as error:
        raise Unavailable(f"the backup could not be written ({error.strerror}); nothing was kept of it") from error
    except sqlite3.Error as error:
        raise Unavailable(f"the database could not be copied ({error}); nothing was kept of the backup") from error
    finally:
        database.close()
    return manifest


def check(folder: Path) -> Manifest:
    """Read a backup and compare every file with its SHA-256; InvalidInput where it is no backup, or a damaged one."""
    try:
        told = unsealed((folder / MANIFEST).read_bytes())
        manifest = Manifest(**{**told, "files": {name: (sha, size) for name, (sha, size) in told["files"].items()}})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise InvalidInput(f"{folder} is not a backup of Dropscope: its {MANIFEST} cannot be read") from error
    for name, (sha, _) in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()) or not path.is_file() or sha256_of(path) != sha:
            raise InvalidInput(f"the backup is damaged: {name} is missing or was changed; use an older backup")
    return manifest


def restore(settings: Settings, folder: Path) -> Manifest:
    """Bring a backup into the settings' empty home and database; no stack may run there.

    Runs that were in training wait again, without penalty. Raises InvalidInput for a damaged backup, Conflict where
    there is something already, and Unavailable where the disk has no room.
    """
    manifest = check(folder)
    _refuse_unless_empty(settings)
    _room(settings.shared, manifest.bytes + settings.disk_floor_bytes)
    try:
        for name in manifest.files:
            if name != DATABASE:
                place = settings.shared / name
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(folder / name, place)
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_everybodys(settings.home):
            only_ours(settings.home)
        _bring_database(settings, folder / DATABASE)
    except OSError as error:
        raise Unavailable(
            f"the backup could not be brought back ({error.strerror}); there is no database in its place yet: put "
            "that right, then restore again"
        ) from error
    return manifest


def _at_newest(database: Database) -> str:
    current, newest = runner.versions(database)
    if current is None or current != newest:
        raise StartupError(
            f"the database is at version {current or 'none'}, this program needs {newest}; start `dropscope up` once"
        )
    return current


def _copy_database(database: Database, settings: Settings, folder: Path) -> None:
    if database.is_sqlite:
        _room(folder, settings.sqlite_path.stat().st_size)
        with closing(sqlite3.connect(settings.sqlite_path, isolation_level=None)) as source:
            source.execute("VACUUM INTO ?", (str(folder / DATABASE),))
        return
    copy = _sqlite_in(folder, settings)
    try:
        with database.read() as session, copy.engine.connect().execution_options(writes=True) as target, target.begin():
            _copy_rows(session.connection(), target)
    finally:
        copy.close()
    _as_one_file(folder / DATABASE)
    (folder / "migrate.lock").unlink(missing_ok=True)


def _sqlite_in(folder: Path, settings: Settings) -> Database:
    there = settings.model_copy(update={"home": folder, "database_url": None})
    runner.migrate(there)
    return open_database(there)


def _copy_rows(source: Connection, target: Connection) -> None:
    """All rows of all tables, parents first; what the migrations put into the target goes."""
    tables = Table.metadata.sorted_tables
    for table in reversed(tables):
        target.execute(table.delete())
    for table in tables:
        rows = source.execution_options(stream_results=True).execute(select(table)).mappings()
        while some := rows.fetchmany(_ROWS):
            target.execute(insert(table), [dict(row) for row in some])


def _fill(settings: Settings, folder: Path, revision: str) -> Manifest:
    """Copy the files that the copied database names, and write down what each of them is."""
    copy = open_database(settings.model_copy(update={"home": folder, "database_url": None}))
    try:
        with copy.read() as session:
            adapters = {row.storage_key: row.files for row in session.scalars(select(Artifact))}
            checkpoints = set(session.scalars(select(Run.checkpoint_key).where(Run.checkpoint_key.is_not(None))))
            studies = session.scalar(select(func.count()).select_from(Study)) or 0
            runs = session.scalar(select(func.count()).select_from(Run)) or 0
    finally:
        copy.close()
    for left in folder.glob(f"{DATABASE}-*"):
        left.unlink()
    files = {DATABASE: (sha256_of(folder / DATABASE), (folder / DATABASE).stat().st_size)}
    sources = [settings.artifacts / key for key in sorted({*adapters, *filter(None, checkpoints)})]
    sources += [settings.shared / name for name in FOLDERS[1:]]
    _room(folder, sum(path.stat().st_size for source in sources for path in _files(source)))
    for source in sources:
        for path in _files(source):
            name = str(path.relative_to(settings.shared))
            try:
                files[name] = _copied(path, folder / name)
            except FileNotFoundError:  # a checkpoint that was replaced by a newer one meanwhile
                continue
    _see_that_adapters_are_whole(settings, adapters, files)
    return Manifest(version(), revision, now().isoformat(), studies, runs, files)


def _see_that_adapters_are_whole(
    settings: Settings, adapters: Mapping[str, Mapping[str, Any]], copied: Mapping[str, tuple[str, int]]
) -> None:
    """Raises Unavailable where the backup would lack an adapter that its own database names."""
    root = settings.artifacts.relative_to(settings.shared)
    lacking = [
        f"{key}/{name}"
        for key, files in sorted(adapters.items())
        for name, sha in sorted(files.items())
        if copied.get(str(root / key / name), ("", 0))[0] != sha
    ]
    if lacking:
        raise Unavailable(
            f"{len(lacking)} files of adapters that the database names are missing below {settings.artifacts} or "
            f"damaged, the first one {lacking[0]}; nothing was kept of the backup. Set DROPSCOPE_SHARED_FOLDER to the "
            "folder that the workers write to, or free the files of that study first"
        )


def _files(source: Path) -> Iterator[Path]:
    return (path for path in sorted(source.rglob("*")) if path.is_file() and not path.is_symlink())


def _copied(source: Path, target: Path) -> tuple[str, int]:
    sha, size = hashlib.sha256(), 0
    with source.open("rb") as reading:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("wb") as writing:
            while piece := reading.read(_CHUNK):
                sha.update(piece)
                writing.write(piece)
                size += len(piece)
    return sha.hexdigest(), size


def _refuse_unless_empty(settings: Settings) -> None:
    if settings.database_url is None and settings.sqlite_path.exists():
        raise Conflict(
            f"{settings.home} holds a database already, and a restore never overwrites one; set DROPSCOPE_HOME to an "
            "empty folder, or move dropscope.db with its -wal and -shm away first"
        )
    if settings.database_url is not None:
        runner.migrate(settings)
        database = open_database(settings)
        try:
            with database.read() as session:
                if session.scalar(select(func.count()).select_from(Study)):
                    raise Conflict("the Postgres database holds studies already; restore into an empty one")
        finally:
            database.close()


def _bring_database(settings: Settings, source: Path) -> None:
    """Bring a copy to this version and settle it, then put it into its place as the last step of all.

    What fails before leaves neither database nor rows, so that the next restore is not refused for them.
    """
    for left in settings.home.glob(f"{_RESTORING}*"):
        shutil.rmtree(left, ignore_errors=True)  # of a restore that was killed
    with tempfile.TemporaryDirectory(dir=settings.home, prefix=_RESTORING) as name:
        shutil.copyfile(source, Path(name, DATABASE))
        copy = _sqlite_in(Path(name), settings)
        try:
            with copy.write() as session:
                _give_back(session)
            if settings.database_url is not None:
                with closing(open_database(settings)) as there, copy.read() as rows, there.write() as target:
                    _copy_rows(rows.connection(), target.connection())
        finally:
            copy.close()
        if settings.database_url is None:
            _as_one_file(Path(name, DATABASE))
            Path(name, DATABASE).rename(settings.sqlite_path)


def _as_one_file(path: Path) -> None:
    """Without -wal and -shm."""
    with closing(sqlite3.connect(path, isolation_level=None)) as made:
        made.execute("PRAGMA journal_mode=DELETE")


def _give_back(session: Write) -> None:
    """The workers of back then are not here: their runs wait again, and their rows are closed."""
    running = session.execute(select(Run.id, Run.fence).where(Run.status == RunStatus.RUNNING).order_by(Run.id)).all()
    for run_id, fence in running:
        endings.give_back(session, run_id, fence, RESTORED)
    session.execute(update(Worker).where(Worker.stopped_at.is_(None)).values(stopped_at=now(), claim_id=None))


def _room(folder: Path, wanted: int) -> None:
    place = next(one for one in (folder, *folder.parents) if one.exists())
    free = shutil.disk_usage(place).free
    if free < wanted:
        raise Unavailable(
            f"{wanted / 2**30:.2f} GiB are wanted on the disk of {folder}, {free / 2**30:.2f} GiB are free there; "
            "free some space, or use another disk"
        )
