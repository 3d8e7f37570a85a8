"""The engine and the two kinds of session on SQLite and Postgres: `Read` never locks, `Write` locks from its start.

SQLite runs in WAL mode, and a writing session begins with BEGIN IMMEDIATE: SQLAlchemy's default loses
read-modify-writes without an error, and a deferred transaction that turns writer fails at once instead of waiting.
"""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session, sessionmaker

from backend.shared import home_path
from backend.shared.errors import StartupError, Unavailable
from backend.shared.files import is_everybodys, only_ours
from backend.shared.settings import Settings

LOCK_WAIT_S = 10
CACHE_KIB = 512  # of each connection; behind it is the system's own, and a server has forty connections
_POOL = {"pool_size": 20, "max_overflow": 20, "pool_timeout": LOCK_WAIT_S}  # FastAPI's thread pool has 40 threads
# Postgres: deadlock, serialization failure, lock timeout, statement cancelled, too many connections, start or stop
_BUSY_STATES = {"40P01", "40001", "55P03", "57014", "53300", "57P01", "57P02", "57P03"}


class Read(Session):
    """A session that only reads, all of one moment; open it, read, close it, and never hold it over a wait."""


class Write(Session):
    """A session that may write; on SQLite it holds the write lock from its first statement to its end."""


class Database:
    """One connection pool and its session makers."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        # On SQLite a reading transaction is one snapshot anyway.
        snapshot = engine if self.is_sqlite else engine.execution_options(isolation_level="REPEATABLE READ")
        self._read = sessionmaker(snapshot, class_=Read, expire_on_commit=False)
        self._write = sessionmaker(engine.execution_options(writes=True), class_=Write, expire_on_commit=False)

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.engine.dialect.name == "sqlite"

    @contextmanager
    def read(self) -> Iterator[Read]:
        """A session for one look; raises Unavailable where the database cannot be reached in time."""
        with _explained(), self._read() as session:
            yield session

    @contextmanager
    def write(self) -> Iterator[Write]:
        """One transaction: committed at the end, rolled back on any error; Unavailable where the lock is not had."""
        with _explained(), self._write.begin() as session:
            yield session

    def scrub(self) -> None:
        """Let nothing of rows that were just deleted stay in SQLite's log, where no reader still needs it.

        The file itself overwrites what is deleted (`secure_delete`). Postgres does both by its own vacuum.
        """
        if not self.is_sqlite:
            return
        with closing(self.engine.raw_connection()) as connection, suppress(sqlite3.OperationalError):
            cursor = connection.cursor()
            cursor.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            cursor.close()

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def open_database(settings: Settings) -> Database:
    """Open the database of the settings; nothing is created but the home folder. Raises StartupError."""
    try:
        url = make_url(settings.resolved_database_url)
    except (ArgumentError, ValueError):
        raise StartupError(
            "DROPSCOPE_DATABASE_URL cannot be read; give a URL such as postgresql://user:password@host/name, what is "
            "not a letter or digit of a password written as %40 and the like"
        ) from None
    if url.get_backend_name() in ("postgres", "postgresql"):  # by whatever driver: we bring one
        url = url.set(drivername="postgresql+psycopg")
    if url.get_backend_name() == "sqlite":
        _make_home(settings)
        return Database(sqlite_engine(url))  # its -wal and -shm take over the mode of the file
    if url.get_backend_name() != "postgresql":
        raise StartupError(
            f"DROPSCOPE_DATABASE_URL names '{url.drivername}', which is not supported; give a postgresql:// URL, "
            "or unset it to use the embedded SQLite"
        )
    options = f"-c lock_timeout={LOCK_WAIT_S}s -c timezone=UTC"
    return Database(
        create_engine(
            url, pool_pre_ping=True, connect_args={"options": options, "connect_timeout": LOCK_WAIT_S}, **_POOL
        )
    )


def sqlite_engine(url: URL | str, **pool: Any) -> Engine:
    """An engine on a SQLite file with the pragmas and transaction starts that this product relies on."""
    # The connection used last is taken first: each has a cache of its own, and few of them are ever needed at once.
    chosen = pool or {**_POOL, "pool_use_lifo": True}
    engine = create_engine(url, connect_args={"timeout": LOCK_WAIT_S, "check_same_thread": False}, **chosen)
    file = Path(engine.url.database or "")

    def shut(_connection: sqlite3.Connection, _record: Any) -> None:
        for path in (file, file.with_name(f"{file.name}-wal"), file.with_name(f"{file.name}-shm")):
            only_ours(path)

    if engine.url.database:
        event.listen(engine, "connect", shut)
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _prepare(connection: sqlite3.Connection, _record: Any) -> None:
    connection.isolation_level = None  # the driver starts no transactions of its own; `_begin` does
    for pragma in (
        f"busy_timeout={LOCK_WAIT_S * 1000}",
        "journal_mode=WAL",
        "synchronous=NORMAL",
        "foreign_keys=ON",
        "journal_size_limit=67108864",
        f"cache_size=-{CACHE_KIB}",
        "secure_delete=ON",  # deleted means gone: no text of a row stays in a page that is free
    ):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: Connection) -> None:
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _make_home(settings: Settings) -> None:
    home_path.check(settings)
    try:
        settings.home.mkdir(parents=True, exist_ok=True, mode=0o700)
        if not is_everybodys(settings.home):
            only_ours(settings.home)
    except OSError as error:
        raise StartupError(
            f"the data folder {settings.home} cannot be made ({error.strerror}); "
            "set DROPSCOPE_HOME to a folder you may write to"
        ) from error


@contextmanager
def _explained() -> Iterator[None]:
    """Turn "locked", "busy" and "no connection" into Unavailable; a full disk too, with its own sentence."""
    try:
        yield
    except PoolTimeout as error:
        raise Unavailable("all database connections are in use; try again in a moment") from error
    except DBAPIError as error:
        sentence = _busy(error)
        if sentence is None:
            raise
        raise Unavailable(sentence) from error


def _busy(error: DBAPIError) -> str | None:
    if isinstance(error.orig, sqlite3.OperationalError):
        code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF
        if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
            return f"the database was locked for more than {LOCK_WAIT_S} s by another process; try again in a moment"
        if code == sqlite3.SQLITE_FULL:
            return "the disk that holds the database is full; free some space and try again"
        if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):  # a full disk often looks like this, too
            return "the database's disk cannot be read or written just now; free some space, or look at the disk"
        return None
    if getattr(error.orig, "sqlstate", None) in _BUSY_STATES:
        return "the database is busy; try again in a moment"
    if error.connection_invalidated or (
        isinstance(error, OperationalError) and not getattr(error.orig, "sqlstate", None)
    ):
        return "the database cannot be reached; try again in a moment"
    return None
