"""A home is for its owner alone, whatever the umask or the folder was, and may lie at any path that SQLite takes."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text

from backend.cli.app import answer
from backend.embedded import home, valkey
from backend.migrations import runner
from backend.operations import backup
from backend.shared.database import open_database
from backend.shared.errors import StartupError
from backend.shared.settings import Settings
from tests.e2e.stack import STUDY, start

ODD = {
    "a question": "a?b=c",
    "a semicolon": "a;b",
    "a percent sign": "a%41%zz",
    "a fragment": "a#b",
    "quotes and blanks": "a 'b' \"c\"",
    "another script": "データ",
    "a plus and an at": "a+b@c",
    "three hundred letters": "/".join(["n" * 100] * 3),
}


@pytest.fixture
def open_umask() -> Iterator[None]:
    """A person whose files anybody may read and write."""
    before = os.umask(0)
    yield
    os.umask(before)


def _open_to_others(folder: Path) -> list[str]:
    return [str(path) for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]


def _use(settings: Settings) -> None:
    home.prepare(settings)
    runner.migrate(settings)
    database = open_database(settings)
    try:
        with database.write() as session:
            session.execute(text("CREATE TABLE tried (n INTEGER)"))
            for name in ("dropscope.db", "dropscope.db-wal", "dropscope.db-shm"):
                assert stat.S_IMODE((settings.home / name).stat().st_mode) == 0o600, name
    finally:
        database.close()


@pytest.mark.parametrize("was", [None, 0o777, 0o755], ids=["new", "everybody's", "readable"])
def test_nobody_else_gets_in(was: int | None, tmp_path: Path, open_umask: None) -> None:
    folder = tmp_path / "home"
    if was is not None:
        folder.mkdir()
        folder.chmod(was)
        for name in ("dropscope.db", "dropscope.db-wal"):  # of a version that left them as the umask was
            (folder / name).touch(mode=0o666)
        (folder / "backups").mkdir()
    settings = Settings(home=folder)
    _use(settings)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("logs", "backups"):
        assert stat.S_IMODE((folder / name).stat().st_mode if (folder / name).exists() else 0o700) == 0o700, name
    with home.HomeLock(settings) as lock:
        lock.tell("http://127.0.0.1:1", "redis://")
        assert stat.S_IMODE((folder / "stack.json").stat().st_mode) == 0o600


def test_a_backup_is_for_its_owner_alone(tmp_path: Path, open_umask: None) -> None:
    settings = Settings(home=tmp_path / "home")
    _use(settings)
    (settings.home / "datasets" / "one").mkdir(parents=True)
    (settings.home / "datasets" / "one" / "train.jsonl").write_text("{}\n")
    backup.back_up(settings, tmp_path / "elsewhere")
    assert _open_to_others(tmp_path / "elsewhere") == []
    other = Settings(home=tmp_path / "other")
    backup.restore(other, tmp_path / "elsewhere")
    assert _open_to_others(other.home / "dropscope.db") == []
    assert stat.S_IMODE(other.home.stat().st_mode) == 0o700
    runner._back_up(settings, "now")
    assert _open_to_others(settings.home / "backups") == []


def test_a_folder_of_many_is_not_shut(tmp_path: Path) -> None:
    tmp_path.chmod(0o1777)
    with pytest.raises(StartupError, match=r"a folder that others use, too.*/dropscope"):
        home.prepare(Settings(home=tmp_path))
    assert stat.S_IMODE(tmp_path.stat().st_mode) == 0o1777


@pytest.mark.parametrize("name", ODD.values(), ids=ODD.keys())
def test_an_odd_path_is_a_path(name: str, tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / name)
    _use(settings)
    home.prepare(settings)  # looks into the database
    assert [path.name for path in tmp_path.iterdir()] == [name.partition("/")[0]], "and into no other place"
    socket = home.socket_path(settings)
    assert len(os.fsencode(socket)) < 100
    assert not set(str(socket)) & set("?;%# '\"")


def test_a_relative_path_starts_where_it_was_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DROPSCOPE_HOME", "data")
    settings = Settings()
    monkeypatch.chdir("/")
    _use(settings)
    assert (tmp_path / "data" / "dropscope.db").exists()


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("/".join(["n" * 100] * 6), "SQLite takes no more than 500"),
        ("n" * 300, "File name too long"),
        ("file/home", "is a file where a folder is needed"),
    ],
)
def test_a_path_that_cannot_be_is_refused_by_its_reason(
    name: str, hint: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("DROPSCOPE_HOME", str(tmp_path / name))
    assert answer(["up", "--port", "0", "--no-browser"]) == 1
    said = capfd.readouterr().err
    assert hint in said
    assert "DROPSCOPE_HOME" in said


def test_valkey_listens_for_its_owner_alone(tmp_path: Path, open_umask: None) -> None:
    settings = Settings(home=tmp_path / "a?b %41;c")
    home.prepare(settings)
    socket = home.socket_path(settings)
    broker = valkey.start(socket, settings.home / "valkey", settings.home / "logs" / "valkey.log")
    try:
        assert stat.S_IMODE(socket.stat().st_mode) & 0o077 == 0
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700
        assert list((settings.home / "valkey").iterdir())
    finally:
        broker.kill()
        socket.unlink(missing_ok=True)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_study_is_trained_in_an_odd_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DROPSCOPE_WORKERS", "1")
    monkeypatch.setenv("DROPSCOPE_DISK_FLOOR_BYTES", "0")
    running = start(tmp_path / "a?b=%41;c #d" / ("n" * 200))
    try:
        small = {**STUDY, "arms": STUDY["arms"][:1], "seeds": 1, "training": {**STUDY["training"], "epochs": 1}}
        assert running.wait(running.queue(small))["counts"]["succeeded"] == 1
    finally:
        running.process.terminate()
        running.process.wait(30)
