"""What happens in between: a heartbeat while the reaper looks, an old attempt's report, a cancel before a loss."""

from datetime import timedelta

import pytest
from sqlalchemy import select

from backend.queue.reaper import Reaper
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, requests, workers
from backend.shared.tables import EvaluationRow, Run, RunLog, Worker, now
from backend.shared.trainer_protocol import Checkpoint, Log
from tests.backend.queue.conftest import add_worker
from tests.backend.queue.test_claims import LEASE_S, claim, planted
from tests.backend.queue.test_endings import attempt_ends, lose, run_of
from tests.backend.queue.test_records import evaluation, losses_of, record, started, steps


def test_an_old_attempt_reports_nothing_while_the_new_one_trains(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    lose(database, run_id, 1)
    claim(database, add_worker(database))
    record(database, started(run_id, 2), steps(run_id, 2, 1, 0.5))
    late = [
        started(run_id, 1, step=7),
        steps(run_id, 1, 1, 9.0, 9.0),
        evaluation(run_id, 1, 2, 9.0),
        Checkpoint(run_id=run_id, fence=1, step=2, folder="run/attempt-1/step-2"),
        Log(run_id=run_id, fence=1, level="info", text="late"),
    ]
    assert record(database, *late) == {run_id}
    assert losses_of(database, run_id) == {1: 0.5}
    run = run_of(database, run_id)
    assert (run.fence, run.step, run.checkpoint_key) == (2, 1, None)
    with database.read() as session:
        assert session.scalars(select(EvaluationRow)).all() == []
        assert session.scalars(select(RunLog)).all() == []
    assert record(database, steps(run_id, 2, 2, 0.4)) == frozenset()


def test_a_renewal_pushes_the_lease(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    pack = claim(database, worker_id)
    assert pack is not None
    before = now()
    with database.write() as session:
        assert queue.renew(session, pack, 10 * LEASE_S).held == {run_id: 1}
    until = run_of(database, run_id).lease_until
    assert until is not None
    assert before + timedelta(seconds=10 * LEASE_S) <= until <= now() + timedelta(seconds=10 * LEASE_S)


def test_a_look_pushes_no_lease(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    pack = claim(database, worker_id)
    assert pack is not None
    before = run_of(database, run_id)
    with database.read() as session:
        assert queue.look(session, pack).held == {run_id: 1}
    after = run_of(database, run_id)
    assert (after.lease_until, after.heartbeat_seq) == (before.lease_until, before.heartbeat_seq)


class Interrupted:
    """A monotonic clock that is read between the reaper's look and its taking, when a worker may be heard of."""

    def __init__(self) -> None:
        self.at = 1000.0
        self.beat = lambda: None

    def __call__(self) -> float:
        self.beat()
        return self.at


def test_a_heartbeat_while_the_reaper_looks_saves_run_and_worker(
    database: Database, settings: Settings, worker_id: str
) -> None:
    _, (run_id,) = planted(database)
    pack = claim(database, worker_id)
    assert pack is not None
    clock = Interrupted()
    reaper = Reaper(database, settings, lambda: None, clock)
    assert reaper.tick() == 0

    def beat() -> None:
        with database.write() as session:
            queue.renew(session, pack, settings.lease_s)
            workers.heartbeat(session, worker_id)

    clock.at += settings.lease_s
    clock.beat = beat
    assert reaper.tick() == 0
    assert run_of(database, run_id).status == "running"
    with database.read() as session:
        assert session.get_one(Worker, worker_id).stopped_at is None
    clock.beat = lambda: None
    assert reaper.tick() == 0  # it was seen to move: silence is counted anew
    clock.at += settings.lease_s
    assert reaper.tick() == 1
    assert attempt_ends(database, run_id) == ["lost"]


def test_a_cancelled_run_whose_last_attempt_is_lost_is_cancelled(database: Database, worker_id: str) -> None:
    """Who asked for the cancel is not told that the run failed."""
    _, (run_id,) = planted(database)
    for fence in (1, 2):
        claim(database, worker_id)
        assert lose(database, run_id, fence) == "queued"
    claim(database, worker_id)
    with database.write() as session:
        requests.cancel_run(session, run_id)
    assert lose(database, run_id, 3) == "cancelled"
    run = run_of(database, run_id)
    assert (run.status, run.failure_code) == ("cancelled", None)


def test_drained_attempts_do_not_count_to_the_end_of_a_run(
    database: Database, worker_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endings, "MOST_LOST", 3)
    _, (run_id,) = planted(database)
    for fence in (1, 2, 3, 4):
        claim(database, worker_id)
        with database.write() as session:
            assert endings.give_back(session, run_id, fence, "shut down")
    claim(database, worker_id)
    assert lose(database, run_id, 5) == "queued"
    with database.read() as session:
        assert session.get_one(Run, run_id).lost_attempts == 1
