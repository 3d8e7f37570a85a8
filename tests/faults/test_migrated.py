"""T33: a populated database of every earlier version reaches the newest one with all its rows, and is served."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.script import ScriptDirectory
from fastapi.testclient import TestClient
from pydantic import SecretStr
from sqlalchemy import inspect, text

from backend.migrations import runner
from backend.shared.database import Database, open_database
from backend.shared.settings import Settings
from tests.backend.make_studies import make, train
from tests.databases import BOTH, Postgres
from tests.make_queue_studies import digest
from tests.team.people import bearer, serving

REVISIONS = [script.revision for script in ScriptDirectory.from_config(runner.config()).walk_revisions()][:0:-1]
API = "/api/v1"


def counts(database: Database) -> dict[str, int]:
    """Table → rows."""
    with database.engine.connect() as connection:
        tables = [name for name in inspect(connection).get_table_names() if name != "alembic_version"]
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in tables}


def take_back(settings: Settings, revision: str) -> None:
    """Bring a database back to an earlier version, as it was when that was the newest."""
    database = open_database(settings)
    engine = runner._engine_without_keys(settings) if database.is_sqlite else database.engine
    try:
        with engine.connect().execution_options(writes=True) as connection, connection.begin():
            command.downgrade(runner.config(connection), revision)
    finally:
        engine.dispose()
        database.close()


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    if request.param == "postgres":
        server: Postgres = request.getfixturevalue("postgres")
        return Settings(home=tmp_path, database_url=SecretStr(server.fresh()))
    return Settings(home=tmp_path)


@pytest.mark.parametrize("revision", REVISIONS)
def test_t33_migrations_keep_data(place: Settings, revision: str) -> None:
    runner.migrate(place)
    token = None
    with serving(place) as team:
        admin = team.person("admin")
        token = team.token(admin)
        study_id = make(team.database, place)
        train(team.database, place.home)
        before_digest = digest(team.database, place.home)
        client = TestClient(team.app, base_url="http://127.0.0.1", headers=admin.headers)
        assert client.post(f"{API}/shares", json={"study_id": study_id}).status_code == 201
    take_back(place, revision)
    database = open_database(place)
    old = counts(database)
    has_tokens = old.get("api_tokens", 0) > 0
    database.close()
    assert old["runs"] == 4
    assert old["evaluations"] > 0

    runner.migrate(place)

    database = open_database(place)
    new = counts(database)
    kept = {name: new.get(name) for name in old}
    broken: list[object] = []
    if database.is_sqlite:
        with database.engine.connect() as connection:
            assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
            broken = list(connection.exec_driver_sql("PRAGMA foreign_key_check").all())
        backups = list((place.home / "backups").glob(f"before-migration-{revision}-*.db"))
        with sqlite3.connect(backups[0]) as backup:
            assert backup.execute("SELECT count(*) FROM runs").fetchone() == (4,)
    assert digest(database, place.home) == before_digest
    database.close()
    with serving(place) as team:
        answer = team.client.get(f"{API}/studies/{study_id}", headers=bearer(token) if has_tokens else {})
    print(
        f"T33 {revision} → newest, {'Postgres' if place.database_url else 'SQLite'}: {sum(old.values())} rows in "
        f"{len(old)} tables, equal: {kept == old}; {len(broken)} broken keys; "
        f"old token: {answer.status_code if has_tokens else 'none then'}"
    )
    assert kept == old
    assert broken == []
    assert answer.status_code == (200 if has_tokens else 401)
