"""`dropscope doctor` names what is wrong with database, queue and workers, and what to do about each."""

import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import tempfile
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text, update

from backend.cli import doctor
from backend.cli.doctor_reach import open_to_others
from backend.shared import disk
from backend.shared.database import Database, open_database
from backend.shared.process import ProcessId, this_process
from backend.shared.settings import Settings
from backend.shared.store import workers
from backend.shared.tables import Worker, now
from tests.backend.make_studies import make, train


def findings(settings: Settings) -> dict[str, doctor.Finding]:
    return {found.name: found for found in doctor.look(settings)}


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


def test_a_locked_database_is_told_from_a_damaged_one(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "LOCK_WAIT_MS", 50)
    with sqlite3.connect(sqlite_settings.sqlite_path, isolation_level=None) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("PRAGMA journal_mode=DELETE")
        other.execute("BEGIN EXCLUSIVE")
        found = findings(sqlite_settings)["database"]
        other.execute("ROLLBACK")
    assert (found.well, "locked" in found.found) == (False, True), found
    assert "another program holds a lock" in found.remedy
    assert "restore" not in found.remedy


def test_a_server_that_hangs_is_told(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its process is there and takes connections, and nothing is ever answered."""
    monkeypatch.setattr(doctor, "ANSWER_S", 0.2)
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}"
        told = {"url": url, "pid": os.getpid(), "broker_url": "redis://127.0.0.1:1"}
        (sqlite_settings.home / "stack.json").write_text(json.dumps(told))
        found = findings(sqlite_settings)["server"]
    assert (found.well, "does not answer within" in found.found) == (False, True)


def test_adapters_without_their_files_are_counted(sqlite_settings: Settings) -> None:
    with closing(open_database(sqlite_settings)) as database:
        make(database, sqlite_settings, seeds=1)
        runs = train(database, sqlite_settings.home)
    assert "adapters" not in ill(sqlite_settings)
    (sqlite_settings.artifacts / "runs" / runs[0] / "adapter" / "adapter_config.json").unlink()
    assert findings(sqlite_settings)["adapters"].found == "1 of 2 lack files"


def test_what_cannot_be_looked_at_is_a_finding_and_the_rest_is_looked_at(
    sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_: object) -> None:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(doctor, "list_models", broken)
    found = findings(sqlite_settings)
    assert "Input/output error" in found["catalogue"].found
    assert "rights" in found, "what comes after it"


AS_NOBODY = """
import os, sys
from backend.cli.app import answer
answer(["doctor"])  # loads what it needs: the interpreter itself may lie where nobody may read
if os.geteuid() == 0:
    os.seteuid(65534)  # nothing keeps root out
os.environ["DROPSCOPE_HOME"] = sys.argv[1]
print("----")
sys.exit(answer(["doctor"]))
"""


@pytest.mark.parametrize("state", ["home", "database"])
def test_a_read_only_home_is_told_in_sentences(sqlite_settings: Settings, state: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder, "home")
        shutil.copytree(sqlite_settings.home, home, ignore=shutil.ignore_patterns("cache"))
        (home / "cache").mkdir()
        Path(folder).chmod(0o755)
        (home / "dropscope.db").chmod(0o444)
        home.chmod(0o555 if state == "home" else 0o777)
        environment = os.environ | {"DROPSCOPE_HOME": str(sqlite_settings.home)}
        command = [sys.executable, "-c", AS_NOBODY, str(home)]
        said = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120)
        home.chmod(0o700)
    assert said.returncode == 1, said.stderr
    assert "Traceback" not in said.stdout + said.stderr
    found = said.stdout.partition("----")[2]
    assert "ordinary user" in found, "the last of what it looks at"
    if state == "home":
        assert "cannot be used (Permission denied)" in found


def test_proxies_are_named_without_their_passwords(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    assert "proxy" not in findings(sqlite_settings)
    monkeypatch.setenv("https_proxy", "http://ada:secret@proxy.example.org:3128")
    monkeypatch.setenv("NO_PROXY", "localhost")
    told = findings(sqlite_settings)["proxy"].found
    assert "HTTPS_PROXY=http://***@proxy.example.org:3128, NO_PROXY=localhost" in told
    assert "secret" not in told
    far = sqlite_settings.model_copy(update={"url": "https://dropscope.example.org"})
    assert "NO_PROXY=dropscope.example.org" in findings(far)["server's proxy"].remedy
    monkeypatch.setenv("NO_PROXY", "localhost,.example.org")
    assert "server's proxy" not in findings(far)


def test_what_others_on_the_machine_reach_is_named(sqlite_settings: Settings, tmp_path: Path) -> None:
    shared = tmp_path / "shared"
    shared.mkdir()
    settings = sqlite_settings.model_copy(update={"shared_folder": shared})
    (settings.home / "backups").mkdir()
    modes = {settings.home: 0o755, settings.sqlite_path: 0o640, settings.home / "backups": 0o700, shared: 0o770}
    for path, mode in modes.items():
        path.chmod(mode)
    found = {one.name: one.found for one in open_to_others(settings)}
    assert set(found) == {"home", "database", "shared folder"}
    assert ("everybody" in found["home"], "its group" in found["database"]) == (True, True)
