"""The service and its database for tests, on a copied SQLite file and on a copied database of a real Postgres; alone
and with accounts.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from pydantic import SecretStr

from backend.main import create_app
from backend.shared.database import Database, open_database
from backend.shared.settings import Settings
from tests.databases import BOTH, Postgres, postgres_server
from tests.databases import sqlite_template as migrated_file
from tests.team.people import Team, serving

URL = "http://127.0.0.1"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A Postgres of its own on a unix socket."""
    with postgres_server() as server:
        yield server


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home folder with a migrated database, and a cache that all tests share."""
    home = tmp_path_factory.mktemp("template")
    (home / "cache").mkdir()
    migrated_file(home)
    return home


@pytest.fixture
def new_settings(tmp_path: Path, sqlite_template: Path, request: pytest.FixtureRequest) -> Callable[[str], Settings]:
    """Make settings with a migrated database of the kind named."""

    def make(kind: str) -> Settings:
        home = tmp_path / "home"
        home.mkdir()
        (home / "cache").symlink_to(sqlite_template / "cache")
        if kind == "sqlite":
            shutil.copy(sqlite_template / "dropscope.db", home / "dropscope.db")
            return Settings(home=home)
        server: Postgres = request.getfixturevalue("postgres")
        return Settings(home=home, database_url=SecretStr(server.fresh()))

    return make


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
    yield TestClient(app, base_url=URL, raise_server_exceptions=False)
    app.state.doorbell.close()
    app.state.context.database.close()


@pytest.fixture(scope="session")
def quiet_client(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Iterator[TestClient]:
    """One service on SQLite for all tests that store nothing."""
    home = tmp_path_factory.mktemp("quiet")
    (home / "cache").symlink_to(sqlite_template / "cache")
    shutil.copy(sqlite_template / "dropscope.db", home / "dropscope.db")
    yield from _client(Settings(home=home))


@pytest.fixture
def client(settings: Settings) -> Iterator[TestClient]:
    """The service on each of the two databases; no broker answers."""
    yield from _client(settings)


@pytest.fixture
def sqlite_client(sqlite_settings: Settings) -> Iterator[TestClient]:
    """The service on SQLite, for what does not depend on the database."""
    yield from _client(sqlite_settings)


@pytest.fixture
def team(new_settings: Callable[[str], Settings]) -> Iterator[Team]:
    """A server with accounts on SQLite, for what does not depend on the database; on the one that DROPSCOPE_TEST_TEAM
    names where it is set.
    """
    with serving(new_settings(os.environ.get("DROPSCOPE_TEST_TEAM", "sqlite"))) as running:
        yield running


@pytest.fixture
def any_team(settings: Settings) -> Iterator[Team]:
    """A server with accounts on each of the two databases."""
    with serving(settings) as running:
        yield running
