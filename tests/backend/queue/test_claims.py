"""Which runs a worker gets, and that nobody else gets them."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select, update

from backend.shared.database import Database
from backend.shared.store import endings, queue, requests, study_events, workers
from backend.shared.store.queue import Pack
from backend.shared.tables import Attempt, Run, Study, now
from tests.backend.queue.conftest import add_worker
from tests.make_queue_studies import plant

LEASE_S = 30.0


def claim(database: Database, worker_id: str, pack_size: int = 12) -> Pack | None:
    with database.write() as session:
        return queue.claim_pack(session, worker_id, pack_size, LEASE_S)


def planted(database: Database, arms: int = 1, seeds: int = 1, **study: Any) -> tuple[str, list[str]]:
    with database.write() as session:
        return plant(session, [{} for _ in range(arms)], seeds, **study)


def ids(pack: Pack | None) -> list[str]:
    return [run.run_id for run in pack.runs] if pack else []


def test_empty_queue_gives_nothing(database: Database, worker_id: str) -> None:
    assert claim(database, worker_id) is None


def test_pack_is_one_seed_of_one_study(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=3, seeds=2)
    planted(database, arms=3)
    first, second = claim(database, worker_id), claim(database, worker_id)
    assert ids(first) == runs[:3]
    assert ids(second) == runs[3:]


def test_claim_raises_fence_and_sets_the_lease_at_once(database: Database, worker_id: str) -> None:
    study_id, runs = planted(database)
    before = now()
    pack = claim(database, worker_id)
    assert pack is not None
    with database.read() as session:
        run = session.get_one(Run, runs[0])
        assert (run.status, run.fence, run.attempt, run.claim_id) == ("running", 1, 1, pack.claim_id)
        assert run.lease_until is not None
        assert run.lease_until >= before + timedelta(seconds=LEASE_S)
        assert run.started_at is not None
        attempt = session.scalars(select(Attempt)).one()
        assert (attempt.run_id, attempt.fence, attempt.worker_id, attempt.end) == (runs[0], 1, worker_id, None)
        told = study_events.after(session, study_id, 0)
    assert [(event.kind, event.run_id, event.data["status"]) for event in told] == [("run", runs[0], "running")]


def test_pack_is_cut_by_idle_workers_and_by_size(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=5)
    other = add_worker(database)
    assert ids(claim(database, worker_id)) == runs[:3]  # ceil(5 arms / 2 idle workers)
    assert ids(claim(database, other, pack_size=1)) == runs[3:4]
    assert ids(claim(database, other)) == runs[4:]  # nobody else is idle now


def test_a_seed_that_lacks_runs_is_not_filled_up_with_another(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=3, seeds=2)
    with database.write() as session:
        requests.cancel_run(session, runs[1])
    assert ids(claim(database, worker_id)) == [runs[0], runs[2]]


def test_workers_that_train_are_not_counted_as_idle(database: Database, worker_id: str) -> None:
    """What one of two workers would share with the other it takes whole while the other is busy."""
    planted(database)
    busy = add_worker(database)
    claim(database, busy)
    _, runs = planted(database, arms=4)
    assert ids(claim(database, worker_id)) == runs
    with database.write() as session:
        workers.release(session, busy)
    _, more = planted(database, arms=4)
    assert ids(claim(database, worker_id)) == more[:2]


def test_stale_and_draining_workers_are_not_counted_as_idle(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=4)
    silent, draining = add_worker(database), add_worker(database)
    with database.write() as session:
        session.execute(
            update(workers.Worker)
            .where(workers.Worker.id == silent)
            .values(heartbeat_at=now() - timedelta(seconds=LEASE_S + 1))
        )
        session.execute(update(workers.Worker).where(workers.Worker.id == draining).values(draining=True))
    assert ids(claim(database, worker_id)) == runs


def test_order_is_priority_then_age_then_position(database: Database, worker_id: str) -> None:
    _, old = planted(database)
    urgent_study, urgent = planted(database, priority=5)
    _, newest = planted(database)
    order = [ids(claim(database, worker_id)) for _ in range(3)]
    assert order == [urgent, old, newest]
    assert urgent_study


@pytest.mark.parametrize("hide", ["paused", "archived", "later"])
def test_hidden_runs_are_not_claimed(database: Database, worker_id: str, hide: str) -> None:
    study_id, _ = planted(database)
    with database.write() as session:
        if hide == "later":
            session.execute(update(Run).values(not_before=now() + timedelta(hours=1)))
        else:
            values: dict[str, Any] = {"paused": True} if hide == "paused" else {"archived_at": now()}
            session.execute(update(Study).where(Study.id == study_id).values(**values))
    assert claim(database, worker_id) is None
    with database.read() as session:
        assert not queue.work_waits(session)


def test_draining_worker_gets_nothing(database: Database, worker_id: str) -> None:
    planted(database)
    with database.write() as session:
        session.execute(update(workers.Worker).values(draining=True))
    assert claim(database, worker_id) is None


def test_alone_means_alone(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=3)
    with database.write() as session:
        session.execute(update(Run).where(Run.id == runs[1]).values(alone=True))
    packs = [ids(claim(database, worker_id)) for _ in range(2)]
    assert packs == [[runs[0], runs[2]], [runs[1]]]


def test_mates_stand_at_the_same_checkpoint(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=3)
    with database.write() as session:
        session.execute(
            update(Run).where(Run.id == runs[2]).values(checkpoint_step=20, checkpoint_key="somewhere/checkpoint-20")
        )
    first, second = claim(database, worker_id), claim(database, worker_id)
    assert (ids(first), ids(second)) == (runs[:2], runs[2:])
    assert second is not None
    assert (second.runs[0].checkpoint_step, second.runs[0].checkpoint_key) == (20, "somewhere/checkpoint-20")


def test_renewal_tells_what_is_held_and_what_is_to_be_cancelled(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=3)
    pack = claim(database, worker_id)
    assert pack is not None
    with database.write() as session:
        requests.cancel_run(session, runs[1])
        endings.fail(session, runs[2], 1, endings.FailureCode.LOSS_NAN, "no number")
    with database.write() as session:
        renewal = queue.renew(session, pack, LEASE_S)
    assert renewal == queue.Renewal({runs[0]: 1, runs[1]: 1}, frozenset({runs[1]}))
    with database.read() as session:
        assert queue.look(session, pack) == renewal
        beats = {run.id: run.heartbeat_seq for run in session.scalars(select(Run))}
    assert beats == {runs[0]: 2, runs[1]: 2, runs[2]: 1}


def test_renewal_of_a_claim_that_was_taken_away_holds_nothing(database: Database, worker_id: str) -> None:
    _, runs = planted(database)
    old = claim(database, worker_id)
    assert old is not None
    with database.write() as session:
        endings.lose(session, runs[0], 1, endings.AttemptEnd.LOST, "gone", 3)
    new = claim(database, add_worker(database))
    assert new is not None
    assert new.runs[0].fence == 2
    with database.write() as session:
        assert queue.renew(session, old, LEASE_S).held == {}


def test_two_claimers_never_share_a_run(database: Database) -> None:
    """Eight threads race for 60 runs at a barrier: each run is claimed once, and nobody meets a lock error."""
    _, runs = planted(database, arms=1, seeds=60)
    claimers = [add_worker(database) for _ in range(8)]
    barrier = threading.Barrier(len(claimers))
    got: list[str] = []
    errors: list[BaseException] = []

    def race(worker_id: str) -> None:
        barrier.wait()
        try:
            while pack := claim(database, worker_id, pack_size=1):
                got.extend(ids(pack))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=race, args=(worker_id,)) for worker_id in claimers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert sorted(got) == sorted(runs)
