"""What people ask of the queue: cancel, retry, priority."""

import pytest
from sqlalchemy import select, update

from backend.shared.database import Database
from backend.shared.errors import Conflict, NotFound
from backend.shared.run_status import FailureCode, RunStatus
from backend.shared.store import endings, queue, requests, study_events
from backend.shared.tables import EvaluationRow, Run
from tests.backend.queue.test_claims import claim, ids, planted
from tests.backend.queue.test_endings import lose, run_of
from tests.backend.queue.test_records import evaluation, losses_of, record, steps


def test_cancel_of_a_queued_run_is_done_at_once(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    with database.write() as session:
        assert requests.cancel_run(session, run_id) is RunStatus.CANCELLED
    assert run_of(database, run_id).finished_at is not None
    assert claim(database, worker_id) is None
    with database.write() as session, pytest.raises(Conflict, match="been cancelled"):
        requests.cancel_run(session, run_id)


def test_cancel_of_a_study_takes_what_has_not_ended(database: Database, worker_id: str) -> None:
    study_id, runs = planted(database, arms=1, seeds=3)
    claim(database, worker_id)
    with database.write() as session:
        endings.finish(session, runs[0], 1, 40, {})
    claim(database, worker_id)
    with database.write() as session:
        assert requests.cancel_study(session, study_id) == 2
    found = [run_of(database, run_id) for run_id in runs]
    assert [run.status for run in found] == ["succeeded", "running", "cancelled"]
    assert [run.cancel_requested_at is not None for run in found] == [False, True, True]


@pytest.mark.parametrize(
    ("code", "goes_on"),
    [(FailureCode.WORKER_LOST, True), (FailureCode.TIME_LIMIT, True), (FailureCode.LOSS_NAN, False)],
)
def test_retry_goes_on_from_the_checkpoint_where_that_helps(
    database: Database, worker_id: str, code: FailureCode, goes_on: bool
) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    record(database, steps(run_id, 1, 1, 0.9, 0.8), evaluation(run_id, 1, 2, 0.5))
    with database.write() as session:
        session.execute(update(Run).values(checkpoint_step=2, checkpoint_key="run/attempt-1/step-2"))
        endings.fail(session, run_id, 1, code, "why")
    with database.write() as session:
        requests.retry_run(session, run_id)
    run = run_of(database, run_id)
    assert (run.status, run.failure_code, run.message, run.finished_at) == ("queued", None, None, None)
    assert run.checkpoint_step == (2 if goes_on else None)
    assert len(losses_of(database, run_id)) == (2 if goes_on else 0)
    with database.read() as session:
        assert len(session.scalars(select(EvaluationRow)).all()) == (1 if goes_on else 0)
    pack = claim(database, worker_id)
    assert pack is not None
    assert (pack.runs[0].fence, pack.runs[0].attempt) == (2, 2)


def test_only_ended_runs_can_be_retried(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    with database.write() as session, pytest.raises(Conflict, match="is queued"):
        requests.retry_run(session, run_id)
    with database.write() as session, pytest.raises(NotFound):
        requests.retry_run(session, "run_0")


def test_retry_failed_leaves_the_others(database: Database, worker_id: str) -> None:
    study_id, runs = planted(database, arms=3)
    claim(database, worker_id)
    with database.write() as session:
        endings.fail(session, runs[0], 1, FailureCode.WORKER_LOST, "why")
        endings.finish(session, runs[1], 1, 40, {})
    with database.write() as session:
        assert requests.retry_failed(session, study_id) == 1
    assert [run_of(database, run_id).status for run_id in runs] == ["queued", "succeeded", "running"]


def test_move_to_front_overtakes_all_that_waits(database: Database, worker_id: str) -> None:
    planted(database, priority=3)
    study_id, runs = planted(database)
    with database.write() as session:
        assert requests.move_to_front(session, study_id) == 4
    assert ids(claim(database, worker_id)) == runs


def test_a_retried_run_has_all_its_attempts_again(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    for fence in (1, 2, 3):
        claim(database, worker_id)
        lose(database, run_id, fence)
    assert run_of(database, run_id).status == "failed"
    with database.write() as session:
        requests.retry_run(session, run_id)
    assert run_of(database, run_id).lost_attempts == 0
    ends = []
    for fence in (4, 5, 6):
        claim(database, worker_id)
        ends.append(lose(database, run_id, fence))
    assert ends == ["queued", "queued", "failed"]


def test_a_cancelled_run_that_is_retried_is_cancelled_no_more(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        requests.cancel_run(session, run_id)
        endings.cancelled(session, run_id, 1)
    with database.write() as session:
        requests.retry_run(session, run_id)
    pack = claim(database, worker_id)
    assert pack is not None
    with database.write() as session:
        assert queue.renew(session, pack, 30.0) == queue.Renewal({run_id: 2}, frozenset())
        assert endings.give_back(session, run_id, 2, "shut down")
    assert run_of(database, run_id).status == "queued"


def test_a_cancel_that_is_asked_for_twice_is_one(database: Database, worker_id: str) -> None:
    study_id, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        assert requests.cancel_run(session, run_id) is RunStatus.RUNNING
    asked = run_of(database, run_id).cancel_requested_at
    with database.read() as session:
        seq = study_events.last_seq(session, study_id)
    with database.write() as session:
        requests.cancel_run(session, run_id)
        assert requests.cancel_study(session, study_id) == 1
    assert run_of(database, run_id).cancel_requested_at == asked
    with database.read() as session:
        assert study_events.last_seq(session, study_id) == seq
