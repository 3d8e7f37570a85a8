"""Brings a database to this program's version: one process at a time, in one transaction, with a backup before.

Batch mode copies, drops and renames a table. With foreign keys on and ON DELETE CASCADE that would delete the rows of
every table that refers to it, so they are off meanwhile, and rows are counted before and after.
"""

import fcntl
import logging
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, NullPool, event, inspect, text

from backend.shared.database import Database, open_database, sqlite_engine
from backend.shared.errors import StartupError
from backend.shared.files import only_ours
from backend.shared.settings import Settings
from backend.shared.tables import now

log = logging.getLogger(__name__)
NEWEST = "head"
_LOCK = 0x64726F70  # "drop": the advisory lock of Postgres


def config(connection: Connection | None = None) -> Config:
    """Alembic's configuration; there is no ini file."""
    found = Config()
    found.set_main_option("script_location", str(Path(__file__).parent).replace("%", "%%"))
    found.attributes["connection"] = connection
    return found


def migrate(settings: Settings, target: str = NEWEST) -> None:
    """Bring the database of the settings to `target`. Raises StartupError; then nothing was changed."""
    database = open_database(settings)
    try:
        current, newest = versions(database)
        if current == newest and target == NEWEST:
            return
        if database.is_sqlite:
            _migrate_sqlite(settings, target)
        else:
            with database.engine.connect() as connection, connection.begin():
                connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                connection.execute(text("SET LOCAL lock_timeout = 0"))
                _upgrade(connection, target)
    finally:
        database.close()


def versions(database: Database) -> tuple[str | None, str | None]:
    """The version that the database is at (None: empty), and the newest one this program knows."""
    newest = ScriptDirectory.from_config(config()).get_current_head()
    with database.read() as session:
        return _current(session.connection()), newest


def _migrate_sqlite(settings: Settings, target: str) -> None:
    with _alone(settings.home / "migrate.lock"):
        engine = _engine_without_keys(settings)
        try:
            with engine.connect() as connection:
                current = _current(connection)
            if current is not None:
                _back_up(settings, current)
            with engine.connect().execution_options(writes=True) as connection, connection.begin():
                _upgrade(connection, target)
                broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
                if broken:
                    raise StartupError(f"the migration would leave {len(broken)} rows without their parents; not done")
        finally:
            engine.dispose()


def _upgrade(connection: Connection, target: str) -> None:
    current = _current(connection)
    known = {script.revision for script in ScriptDirectory.from_config(config()).walk_revisions()}
    if current is not None and current not in known:
        raise StartupError(
            f"the database is at version {current}, which this program does not know: it was used with a newer "
            "version; install that one, or set DROPSCOPE_HOME to another folder"
        )
    before = _row_counts(connection)
    direction = command.downgrade if target == "base" else command.upgrade
    direction(config(connection), target)
    after = _row_counts(connection)
    lost = {name: (rows, after[name]) for name, rows in before.items() if name in after and after[name] < rows}
    if lost:
        told = ", ".join(f"{name} {was} → {left}" for name, (was, left) in sorted(lost.items()))
        raise StartupError(f"the migration would lose rows ({told}); nothing was changed")
    log.info("the database is at version %s now", _current(connection))


def _current(connection: Connection) -> str | None:
    return MigrationContext.configure(connection).get_current_revision()


def _row_counts(connection: Connection) -> dict[str, int]:
    names = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
    quote = connection.dialect.identifier_preparer.quote
    return {name: connection.exec_driver_sql(f"SELECT count(*) FROM {quote(name)}").scalar() or 0 for name in names}


def _back_up(settings: Settings, current: str) -> None:
    folder = settings.home / "backups"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    only_ours(folder)
    target = folder / f"before-migration-{current}-{now():%Y%m%dT%H%M%S%f}.db"
    source = sqlite3.connect(settings.sqlite_path, isolation_level=None)
    try:
        target.touch(mode=0o600)  # an empty file is one that it may fill
        source.execute("VACUUM INTO ?", (str(target),))
    except sqlite3.Error as error:
        raise StartupError(f"no backup could be made before the migration ({error}); free some disk space") from error
    finally:
        source.close()
    log.info("backup before the migration: %s", target)


def _engine_without_keys(settings: Settings) -> Engine:
    engine = sqlite_engine(settings.resolved_database_url, poolclass=NullPool)
    event.listen(engine, "connect", lambda connection, _: connection.execute("PRAGMA foreign_keys=OFF"))
    return engine


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    """Wait until no other process of this machine migrates."""
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
