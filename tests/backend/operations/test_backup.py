"""A backup holds one moment of everything; it comes back into either kind of database, or not at all."""

import json
import shutil
from contextlib import closing
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import func, select

from backend.operations import backup
from backend.shared.database import Database, open_database
from backend.shared.errors import Conflict, InvalidInput, Unavailable
from backend.shared.settings import Settings
from backend.shared.tables import Artifact, Attempt, EvaluationRow, Run, Study, StudyEvent
from tests.backend.make_studies import make, train
from tests.databases import BOTH
from tests.files import flip_a_bit
from tests.make_queue_studies import digest

TABLES = (Study, Run, Attempt, EvaluationRow, StudyEvent, Artifact)


def _counts(database: Database) -> list[int]:
    with database.read() as session:
        return [session.scalar(select(func.count()).select_from(table)) or 0 for table in TABLES]


@pytest.fixture(params=BOTH)
def elsewhere(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """An empty place to restore into."""
    there = tmp_path / "elsewhere"
    if request.param == "sqlite":
        return Settings(home=there)
    return Settings(home=there, database_url=SecretStr(request.getfixturevalue("postgres").fresh()))


def test_a_backup_comes_back_elsewhere(
    settings: Settings, database: Database, elsewhere: Settings, tmp_path: Path
) -> None:
    make(database, settings)
    train(database, settings.home)
    made = backup.back_up(settings, tmp_path / "kept")
    assert (made.studies, made.runs) == (1, 4)
    assert backup.restore(elsewhere, tmp_path / "kept") == made
    back = open_database(elsewhere)
    try:
        assert _counts(back) == _counts(database)
        assert digest(back, elsewhere.home) == digest(database, settings.home)
    finally:
        back.close()


def test_runs_in_training_wait_again_without_penalty(
    settings: Settings, database: Database, elsewhere: Settings, tmp_path: Path
) -> None:
    make(database, settings)
    running = train(database, settings.home, packs=1, finish=False)
    backup.back_up(settings, tmp_path / "kept")
    backup.restore(elsewhere, tmp_path / "kept")
    back = open_database(elsewhere)
    try:
        with back.read() as session:
            for run in (session.get_one(Run, run_id) for run_id in running):
                assert (run.status, run.lost_attempts, run.message) == ("queued", 0, backup.RESTORED)
            assert set(session.scalars(select(Attempt.end))) == {"drained"}
    finally:
        back.close()


@pytest.mark.parametrize("step", ["_copy_rows", "_give_back", "_as_one_file"])
def test_a_restore_that_failed_does_not_block_the_next(
    sqlite_settings: Settings, elsewhere: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    with closing(open_database(sqlite_settings)) as database:
        make(database, sqlite_settings)
        train(database, sqlite_settings.home, packs=1, finish=False)
    made = backup.back_up(sqlite_settings, tmp_path / "kept")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    used = step != ("_as_one_file" if elsewhere.database_url else "_copy_rows")
    with monkeypatch.context() as disk:
        disk.setattr(backup, step, full)
        if used:
            with pytest.raises(Unavailable, match="No space left on device"):
                backup.restore(elsewhere, tmp_path / "kept")
            (elsewhere.home / "restoring-of-one-that-was-killed").mkdir()
    assert backup.restore(elsewhere, tmp_path / "kept") == made
    with closing(open_database(elsewhere)) as back:
        assert _counts(back)[:2] == [1, 4]
    assert not list(elsewhere.home.glob("restoring*"))


def test_a_damaged_backup_is_refused_before_anything_is_made(
    settings: Settings, database: Database, tmp_path: Path
) -> None:
    make(database, settings)
    train(database, settings.home)
    kept, there = tmp_path / "kept", Settings(home=tmp_path / "elsewhere")
    made = backup.back_up(settings, kept)
    adapter = next(name for name in made.files if name.endswith("safetensors"))
    (kept / adapter).write_bytes(b"other bytes")
    with pytest.raises(InvalidInput, match=adapter):
        backup.restore(there, kept)
    (kept / adapter).unlink()
    with pytest.raises(InvalidInput, match="missing"):
        backup.restore(there, kept)
    told = json.loads((kept / backup.MANIFEST).read_text())
    told["files"] = {"../outside": ["0" * 64, 1]}
    (kept / backup.MANIFEST).write_text(json.dumps(told))
    with pytest.raises(InvalidInput, match="damaged"):
        backup.restore(there, kept)
    shutil.rmtree(kept)
    with pytest.raises(InvalidInput, match="not a backup"):
        backup.restore(there, kept)
    assert not there.home.exists()


def test_nothing_is_overwritten(settings: Settings, database: Database, tmp_path: Path) -> None:
    make(database, settings)
    backup.back_up(settings, tmp_path / "kept")
    with pytest.raises(Conflict):
        backup.back_up(settings, tmp_path / "kept")
    with pytest.raises(Conflict, match="already"):
        backup.restore(settings, tmp_path / "kept")
    assert _counts(database)[:2] == [1, 4]


@pytest.mark.parametrize("harm", ["flipped", "gone"])
def test_a_backup_without_its_adapters_is_none(sqlite_settings: Settings, tmp_path: Path, harm: str) -> None:
    """What the database names must be there, as it was written: else the backup says so and leaves nothing."""
    database = open_database(sqlite_settings)
    try:
        make(database, sqlite_settings)
        train(database, sqlite_settings.home)
    finally:
        database.close()
    weights = next(sqlite_settings.artifacts.rglob("*.safetensors"))
    if harm == "flipped":
        flip_a_bit(weights)
    else:
        shutil.rmtree(sqlite_settings.artifacts)
    with pytest.raises(Unavailable, match=r"missing below .* or damaged"):
        backup.back_up(sqlite_settings, tmp_path / "kept")
    assert not (tmp_path / "kept").exists()
