"""`dropscope doctor` names what is wrong with database, queue and workers, and what to do about each."""

import json
import os
import sqlite3
from datetime import timedelta

import pytest
from sqlalchemy import text, update

from backend.cli import doctor
from backend.shared import disk
from backend.shared.database import Database
from backend.shared.process import ProcessId, this_process
from backend.shared.settings import Settings
from backend.shared.store import workers
from backend.shared.tables import Worker, now
from tests.backend.make_studies import make


def findings(settings: Settings) -> dict[str, doctor.Finding]:
    return {found.name: found for check in doctor.CHECKS for found in check(settings)}


def ill(settings: Settings) -> set[str]:
    return {name for name, found in findings(settings).items() if not found.well}


def test_a_sound_database_is_well(settings: Settings, database: Database) -> None:
    found = findings(settings)
    assert found["database"].well
    assert found["database version"].well
    assert not {"clock", "queue", "database keys"} & ill(settings)


def test_an_older_and_a_newer_database_are_told_apart(settings: Settings, database: Database) -> None:
    for at, remedy in (("0001", "migrates it"), ("9999", "newer program")):
        with database.write() as session:
            session.execute(text("UPDATE alembic_version SET version_num = :at"), {"at": at})
        found = findings(settings)["database version"]
        assert (found.well, remedy in found.remedy) == (False, True)


def test_a_damaged_database_is_told(sqlite_settings: Settings) -> None:
    content = bytearray(sqlite_settings.sqlite_path.read_bytes())
    content[8192:16384] = b"\xff" * 8192
    sqlite_settings.sqlite_path.write_bytes(content)
    found = findings(sqlite_settings)["database"]
    assert not found.well
    assert "restore" in found.remedy


def test_rows_without_their_parents_are_told(sqlite_settings: Settings) -> None:
    with sqlite3.connect(sqlite_settings.sqlite_path) as broken:
        broken.execute("INSERT INTO train_loss_blocks (run_id, first_step, count, losses) VALUES ('no', 1, 1, x'00')")
    assert "1 rows" in findings(sqlite_settings)["database keys"].found


def test_workers_that_are_lost_or_of_another_version(settings: Settings, database: Database) -> None:
    if settings.database_url is None:
        told = {"url": "http://127.0.0.1:1", "pid": os.getpid(), "broker_url": "redis://127.0.0.1:1"}
        (settings.home / "stack.json").write_text(json.dumps(told))  # a running stack, so far as doctor sees
    make(database, settings)
    assert "queue" in ill(settings)
    with database.write() as session:
        workers.register(session, this_process(), "cpu", "0.0.1")
        silent = workers.register(session, ProcessId("elsewhere", 1, 1.0), "cpu", "0.0.1")
        session.execute(update(Worker).where(Worker.id == silent).values(heartbeat_at=now() - timedelta(hours=1)))
    found = findings(settings)
    assert found["workers"].found == "1 alive"
    assert found["lost workers"].found.startswith("1 ")
    assert found["workers' versions"].found == "0.0.1"
    assert "queue" not in ill(settings)


def test_a_disk_below_the_floor(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(disk, "free_bytes", lambda _: 1000)
    assert "disk" in ill(sqlite_settings)
