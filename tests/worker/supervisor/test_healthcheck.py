"""The container's health check says in a sentence what is wrong, whatever is."""

import sqlite3
from pathlib import Path

import pytest

from backend.shared.database import open_database
from backend.shared.process import this_process
from backend.shared.settings import Settings
from backend.shared.store import workers
from tests.databases import sqlite_template
from worker.healthcheck import main


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("DROPSCOPE_HOME", str(tmp_path))
    return tmp_path


def said(capsys: pytest.CaptureFixture[str]) -> str:
    found: str = capsys.readouterr().err
    assert "Traceback" not in found
    return found


def test_settings_that_are_wrong_are_a_sentence(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DROPSCOPE_LEASE_S", "soon")
    assert main() == 1
    assert "DROPSCOPE_LEASE_S" in said(capsys)


def test_a_database_without_tables_and_one_of_another_make_are_sentences(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main() == 1
    assert "is it set up?" in said(capsys)
    with sqlite3.connect(home / "dropscope.db") as other:
        other.execute("CREATE TABLE workers (id TEXT)")
    assert main() == 1
    assert "is it set up?" in said(capsys)


def test_a_worker_that_lives_is_well(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    sqlite_template(home)
    assert main() == 1
    assert "no worker of this host" in said(capsys)
    database = open_database(Settings())
    with database.write() as session:
        workers.register(session, this_process(), "cpu", "test")
    database.close()
    assert main() == 0
