"""Every way an attempt ends, what becomes of the run, and that an old fence changes nothing."""

from typing import Any

import pytest
from sqlalchemy import select

from backend.shared.database import Database
from backend.shared.run_status import AttemptEnd, FailureCode, RunStatus
from backend.shared.store import endings, requests, study_events
from backend.shared.store.tallies import tallies
from backend.shared.tables import Artifact, Attempt, Run
from tests.backend.queue.conftest import add_worker
from tests.backend.queue.test_claims import claim, planted

ADAPTER = endings.NewArtifact("adapter", "run/attempt-1/adapter", {"adapter.bin": "00"}, 2)


def run_of(database: Database, run_id: str) -> Run:
    with database.read() as session:
        return session.get_one(Run, run_id)


def attempt_ends(database: Database, run_id: str) -> list[str | None]:
    with database.read() as session:
        return list(session.scalars(select(Attempt.end).where(Attempt.run_id == run_id).order_by(Attempt.fence)))


def lose(database: Database, run_id: str, fence: int, end: AttemptEnd = AttemptEnd.LOST, **more: Any) -> Any:
    with database.write() as session:
        return endings.lose(session, run_id, fence, end, "gone", 3, **more)


def test_finish_publishes_the_adapter_with_the_status(database: Database, worker_id: str) -> None:
    study_id, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        assert endings.finish(session, run_id, 1, 40, {"validation/loss_fp32": 0.5}, [ADAPTER])
    run = run_of(database, run_id)
    assert (run.status, run.step, run.final, run.lease_until) == ("succeeded", 40, {"validation/loss_fp32": 0.5}, None)
    assert run.finished_at is not None
    assert attempt_ends(database, run_id) == ["succeeded"]
    with database.read() as session:
        assert session.scalars(select(Artifact.storage_key)).all() == ["run/attempt-1/adapter"]
        assert study_events.after(session, study_id, 0)[-1].data["status"] == "succeeded"


def test_a_run_that_stopped_early_has_succeeded_and_says_so(database: Database, worker_id: str) -> None:
    study_id, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        assert endings.finish(session, run_id, 1, 16, {"saved_steps": 24.0}, message="Stopped early at step 16 of 40.")
    run = run_of(database, run_id)
    assert (run.status, run.step, run.message) == ("succeeded", 16, "Stopped early at step 16 of 40.")
    with database.read() as session:
        assert study_events.after(session, study_id, 0)[-1].data["message"] == "Stopped early at step 16 of 40."
        tally = tallies(session, [study_id])[study_id]
    assert (tally.steps_left, tally.eta_seconds, tally.progress) == (0, 0, 1.0)


@pytest.mark.parametrize("ending", ["finish", "fail", "cancelled", "give_back", "lose"])
def test_old_fence_changes_nothing(database: Database, worker_id: str, ending: str) -> None:
    study_id, (run_id,) = planted(database)
    claim(database, worker_id)
    lose(database, run_id, 1)
    claim(database, add_worker(database))
    with database.read() as session:
        seq = study_events.last_seq(session, study_id)
    with database.write() as session:
        accepted = {
            "finish": lambda: endings.finish(session, run_id, 1, 40, {}, [ADAPTER]),
            "fail": lambda: endings.fail(session, run_id, 1, FailureCode.INTERNAL, "no"),
            "cancelled": lambda: endings.cancelled(session, run_id, 1),
            "give_back": lambda: endings.give_back(session, run_id, 1, "no"),
            "lose": lambda: endings.lose(session, run_id, 1, AttemptEnd.LOST, "no", 3),
        }[ending]()
    assert not accepted
    run = run_of(database, run_id)
    assert (run.status, run.fence, run.attempt, run.message) == ("running", 2, 2, None)
    assert attempt_ends(database, run_id) == ["lost", None]
    with database.read() as session:
        assert session.scalars(select(Artifact)).all() == []
        assert study_events.last_seq(session, study_id) == seq


def test_drained_run_waits_again_without_penalty(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        assert endings.give_back(session, run_id, 1, "shut down")
    run = run_of(database, run_id)
    assert (run.status, run.lost_attempts, run.alone, run.message) == ("queued", 0, False, "shut down")
    assert attempt_ends(database, run_id) == ["drained"]


@pytest.mark.parametrize("how", ["give_back", "lose"])
def test_a_cancelled_run_does_not_come_back(database: Database, worker_id: str, how: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        assert requests.cancel_run(session, run_id) is RunStatus.RUNNING
    if how == "lose":
        lose(database, run_id, 1)
    else:
        with database.write() as session:
            endings.give_back(session, run_id, 1, "shut down")
    assert run_of(database, run_id).status == "cancelled"


def test_lost_run_of_a_pack_is_tried_alone_and_only_that_counts(database: Database, worker_id: str) -> None:
    _, runs = planted(database, arms=2)
    claim(database, worker_id)
    assert [lose(database, run_id, 1) for run_id in runs] == ["queued", "queued"]
    run = run_of(database, runs[0])
    assert (run.alone, run.lost_attempts) == (True, 0)
    for lost, fence in ((1, 2), (2, 3)):
        pack = claim(database, worker_id)
        assert pack is not None
        assert [one.run_id for one in pack.runs] == [runs[0]]
        assert lose(database, runs[0], fence) == "queued"
        assert run_of(database, runs[0]).lost_attempts == lost
    claim(database, worker_id)
    assert lose(database, runs[0], 4) == "failed"
    run = run_of(database, runs[0])
    assert (run.failure_code, run.attempt) == ("worker_lost", 4)
    assert run.message == "3 attempts ended without a word and got no further, the last one so: gone"
    assert attempt_ends(database, runs[0]) == ["lost"] * 4
    assert run_of(database, runs[1]).status == "queued"


def test_single_run_fails_after_three_lost_attempts(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    ends = []
    for fence in (1, 2, 3):
        claim(database, worker_id)
        ends.append(lose(database, run_id, fence, AttemptEnd.CRASHED))
    assert ends == ["queued", "queued", "failed"]
    assert run_of(database, run_id).failure_code == "trainer_crashed"
    assert claim(database, worker_id) is None


def reach(database: Database, run_id: str, step: int) -> None:
    """The run has a checkpoint of this step."""
    with database.write() as session:
        session.get_one(Run, run_id).checkpoint_step = step


def test_attempts_that_get_further_do_not_count(database: Database, worker_id: str) -> None:
    """Killed after each new checkpoint a run goes on; three attempts in which it stands still end it, also apart."""
    _, (run_id,) = planted(database)
    fence = 0
    for step in (64, 128, None, 192, None, 256, 320):
        fence += 1
        claim(database, worker_id)
        if step is not None:
            reach(database, run_id, step)
        assert lose(database, run_id, fence) == "queued"
    assert run_of(database, run_id).lost_attempts == 2
    claim(database, worker_id)
    assert lose(database, run_id, fence + 1) == "failed"


def test_no_run_is_tried_for_ever(database: Database, worker_id: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """However far it gets each time, there is an end."""
    monkeypatch.setattr(endings, "MOST_LOST", 5)
    _, (run_id,) = planted(database)
    ends = []
    for fence in range(1, 6):
        claim(database, worker_id)
        reach(database, run_id, fence)
        ends.append(lose(database, run_id, fence))
    assert ends == ["queued"] * 4 + ["failed"]
    assert run_of(database, run_id).message == "5 attempts ended without a word, the last one so: gone"


def test_a_heartbeat_in_between_saves_the_run(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    seen = run_of(database, run_id).heartbeat_seq
    assert lose(database, run_id, 1, heartbeat_seq=seen - 1) is None
    assert run_of(database, run_id).status == "running"
    assert lose(database, run_id, 1, heartbeat_seq=seen) == "queued"


def test_number_that_is_not_finite_ends_a_run_like_any_other(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    with database.write() as session:
        assert endings.finish(session, run_id, 1, 40, {"validation/loss_fp32": float("nan"), "flops": 2.0})
    assert run_of(database, run_id).final == {
        "validation/loss_fp32": None,
        "flops": 2.0,
        "nonfinite": {"validation/loss_fp32": "nan"},
    }
