"""A fresh database for each test of the queue, on SQLite and on Postgres alike."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.shared.database import Database, open_database
from backend.shared.process import this_process
from backend.shared.settings import Settings
from backend.shared.store import workers
from tests.databases import BOTH


@pytest.fixture(params=BOTH)
def settings(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    if request.param == "sqlite":
        settings = Settings(home=home, lease_s=3, heartbeat_s=0.5)
        shutil.copy(request.getfixturevalue("sqlite_template") / "dropscope.db", settings.sqlite_path)
        return settings
    url = request.getfixturevalue("postgres").fresh()
    return Settings(home=home, lease_s=3, heartbeat_s=0.5, database_url=SecretStr(url))


@pytest.fixture
def database(settings: Settings) -> Iterator[Database]:
    found = open_database(settings)
    yield found
    found.close()


@pytest.fixture
def worker_id(database: Database) -> str:
    return add_worker(database)


def add_worker(database: Database) -> str:
    """One more idle worker, in the name of this process."""
    with database.write() as session:
        return workers.register(session, this_process(), "cpu", "0")
