"""A database reaches the newest version with all its rows, whatever it was and however many ask at once."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest
from alembic import command
from pydantic import SecretStr
from sqlalchemy import func, inspect, select, text

from backend.migrations.runner import config, migrate, versions
from backend.shared.database import Database, open_database
from backend.shared.errors import StartupError
from backend.shared.ids import new_id
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_WORKSPACE, Run, Table, Workspace
from tests.backend.make_studies import make
from tests.databases import BOTH, Postgres


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a database without any table."""
    if request.param == "sqlite":
        return Settings(home=tmp_path)
    server: Postgres = request.getfixturevalue("postgres")
    name = new_id("empty")
    with psycopg.connect(server.url("postgres").replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name} TEMPLATE template0".encode())
    return Settings(home=tmp_path, database_url=SecretStr(server.url(name)))


def _tables(database: Database) -> set[str]:
    return set(inspect(database.engine).get_table_names()) - {"alembic_version"}


def test_the_migrations_make_the_tables_exactly(empty: Settings) -> None:
    migrate(empty)
    database = open_database(empty)
    try:
        assert _tables(database) == set(Table.metadata.tables)
        with database.engine.connect() as connection:
            command.check(config(connection))  # raises where autogenerate would still change something
        with database.read() as session:
            assert session.get(Workspace, LOCAL_WORKSPACE) is not None
    finally:
        database.close()


def test_down_and_up_again(empty: Settings) -> None:
    migrate(empty)
    migrate(empty, "base")
    database = open_database(empty)
    try:
        assert _tables(database) == set()
        migrate(empty)
        current, newest = versions(database)
        assert current == newest
    finally:
        database.close()


def test_a_second_run_changes_nothing_and_keeps_rows(settings: Settings, database: Database) -> None:
    make(database, settings)
    migrate(settings)
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Run)) == 4


def test_a_migration_backs_up_a_database_with_rows(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    make(database, sqlite_settings, seeds=1)
    database.close()
    migrate(sqlite_settings, "base")
    (backup,) = (sqlite_settings.home / "backups").iterdir()
    with sqlite3.connect(backup) as kept:
        assert kept.execute("SELECT count(*) FROM runs").fetchone() == (2,)
        assert kept.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_a_database_of_a_newer_program_is_refused(settings: Settings, database: Database) -> None:
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(StartupError, match="newer version"):
        migrate(settings)


def test_processes_that_start_together_migrate_once(empty: Settings) -> None:
    imports = "from backend.migrations.runner import migrate; from backend.shared.settings import Settings"
    code = f"{imports}; migrate(Settings())"
    url = {} if empty.database_url is None else {"DROPSCOPE_DATABASE_URL": empty.database_url.get_secret_value()}
    environment = os.environ | {"DROPSCOPE_HOME": str(empty.home)} | url
    started = [subprocess.Popen([sys.executable, "-c", code], env=environment) for _ in range(2)]
    assert [process.wait(60) for process in started] == [0, 0]
    database = open_database(empty)
    try:
        with database.read() as session:
            assert session.scalar(select(func.count()).select_from(Workspace)) == 1
    finally:
        database.close()
