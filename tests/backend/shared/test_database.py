"""Sessions that lose nothing: writers wait for each other, events are numbered without gaps."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import SecretStr
from sqlalchemy import select, text, update

from backend.shared.database import Database, open_database
from backend.shared.errors import NotFound, StartupError, Unavailable
from backend.shared.settings import Settings
from backend.shared.store import study_events
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE, Study, StudyEvent


def _study(database: Database) -> str:
    with database.write() as session:
        session.add(Study(id="study_1", workspace_id=LOCAL_WORKSPACE, created_by=LOCAL_OWNER, name="one", spec={}))
    return "study_1"


def test_read_modify_write_loses_no_update(database: Database) -> None:
    study_id = _study(database)

    def add(times: int) -> None:
        for _ in range(times):
            with database.write() as session:
                study = session.scalars(select(Study).where(Study.id == study_id).with_for_update()).one()
                study.priority += 1

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(add, [25] * 8))
    with database.read() as session:
        assert session.get_one(Study, study_id).priority == 200


def test_events_are_numbered_without_gaps_and_appear_in_order(database: Database) -> None:
    study_id = _study(database)
    finished = threading.Event()
    seen: list[int] = []

    def write(writer: int) -> None:
        for i in range(20):
            with database.write() as session:
                study_events.append(session, study_id, [("run", f"run_{writer}", {"step": i}), ("study", None, {})])

    def follow() -> None:
        while True:
            last = finished.is_set()
            with database.read() as session:
                seen.extend(event.seq for event in study_events.after(session, study_id, seen[-1] if seen else 0))
            if last:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    finished.set()
    reader.join()
    assert seen == list(range(1, 161))


def test_a_rolled_back_transaction_leaves_no_number(database: Database) -> None:
    study_id = _study(database)

    def fail() -> None:
        with database.write() as session:
            study_events.append(session, study_id, [("study", None, {})])
            raise RuntimeError("after all")

    with pytest.raises(RuntimeError):
        fail()
    with database.write() as session:
        assert study_events.append(session, study_id, [("study", None, {})]) == 1
    with database.read() as session:
        assert [row.seq for row in session.scalars(select(StudyEvent))] == [1]


def test_events_of_no_study_are_refused(database: Database) -> None:
    with pytest.raises(NotFound), database.write() as session:
        study_events.append(session, "study_none", [("study", None, {})])


def test_readers_do_not_wait_for_a_writer(database: Database) -> None:
    study_id = _study(database)
    with database.write() as writing:
        writing.execute(update(Study).values(name="unseen"))
        with database.read() as reading:
            assert reading.get_one(Study, study_id).name == "one"


def test_a_reading_session_sees_one_moment(database: Database) -> None:
    study_id = _study(database)
    with database.read() as reading:
        before = reading.scalar(select(Study.event_seq))
        with database.write() as writing:
            study_events.append(writing, study_id, [("study", None, {})])
        assert reading.scalar(select(Study.event_seq)) == before
        assert reading.scalars(select(StudyEvent)).all() == []


def test_a_lock_that_is_not_had_is_said_so(sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("backend.shared.database.LOCK_WAIT_S", 0.2)
    database = open_database(sqlite_settings)
    with database.write() as held:
        held.connection()
        with pytest.raises(Unavailable, match="locked"), database.write() as late:
            late.connection()
    database.close()


def test_sqlite_is_set_up_as_promised(sqlite_settings: Settings) -> None:
    database = open_database(sqlite_settings)
    with database.read() as session:
        found = {
            name: session.execute(text(f"PRAGMA {name}")).scalar()
            for name in ("journal_mode", "foreign_keys", "busy_timeout", "synchronous")
        }
    assert found == {"journal_mode": "wal", "foreign_keys": 1, "busy_timeout": 10000, "synchronous": 1}
    database.close()


def test_a_database_that_is_not_supported_is_refused(new_settings: Callable[[str], Settings]) -> None:
    settings = new_settings("sqlite")
    other = settings.model_copy(update={"database_url": SecretStr("mysql://u@localhost/x")})
    with pytest.raises(StartupError, match="postgresql://"):
        open_database(other)


def test_a_postgres_that_is_away_is_unavailable(new_settings: Callable[[str], Settings]) -> None:
    settings = new_settings("sqlite")
    away = Settings.model_validate(settings.model_dump() | {"database_url": "postgresql://u@127.0.0.1:1/x"})
    database = open_database(away)
    with pytest.raises(Unavailable, match="cannot be reached"), database.read() as session:
        session.execute(text("SELECT 1"))
    database.close()
