"""Cancel, drain, limits and lost leases: the supervisor acts within its deadlines, and never on what is not its own."""

import os
import signal
import time

import psutil
import pytest
from sqlalchemy import update

from backend.shared import disk
from backend.shared.run_status import AttemptEnd
from backend.shared.store import endings, requests
from backend.shared.tables import Run, Worker
from tests.processes import is_running
from tests.worker.supervisor.conftest import Build, House, until
from worker.supervisor.supervisor import LOGS_KEPT
from worker.supervisor.trainer_process import scrubbed

pytestmark = pytest.mark.slow
LONG = {"steps": 5000, "step_s": 0.005}


def trainer_pid(house: House) -> int:
    return until(lambda: house.supervisor._trainer and house.supervisor._trainer.pid, "a trainer")


def wait_ended(house: House, run_id: str) -> str:
    return until(lambda: house.run(run_id).finished_at and house.run(run_id).status, "the end of the run")


def test_logs_of_trainers_of_long_ago_go(build: Build) -> None:
    house = build()
    folder = house.settings.home / "logs"
    folder.mkdir(exist_ok=True)
    for number in range(LOGS_KEPT + 10):
        file = folder / f"trainer-worker_{number}.log"
        file.write_text("long ago")
        os.utime(file, (number, number))
    (run,) = house.plant({"steps": 2})
    house.train()
    assert house.statuses([run]) == ["succeeded"]
    left = {file.name for file in folder.glob("trainer-*.log")}
    assert len(left) <= LOGS_KEPT + 1
    assert {"trainer-worker_0.log", f"trainer-worker_{LOGS_KEPT + 9}.log"} - left == {"trainer-worker_0.log"}


def test_cancel_stops_one_run_and_leaves_its_mate(build: Build) -> None:
    house = build()
    bad, mate = house.plant(LONG, {"steps": 300})
    house.begin()
    house.wait_step(bad)
    asked = time.monotonic()
    with house.database.write() as session:
        requests.cancel_run(session, bad)
    assert wait_ended(house, bad) == "cancelled"
    assert time.monotonic() - asked < 2
    house.join()
    assert house.run(mate).status == "succeeded"
    assert house.ends(bad) == ["cancelled"]
    assert not list((house.settings.artifacts / bad).rglob("adapter"))


def test_deaf_trainer_is_killed_after_the_grace_and_mates_go_on_without_penalty(build: Build) -> None:
    house = build()
    bad, mate = house.plant({**LONG, "deaf": True}, {"steps": 300, "deaf": True})
    house.begin()
    house.wait_step(bad)
    with house.database.write() as session:
        requests.cancel_run(session, bad)
    house.join()
    assert house.statuses([bad, mate]) == ["cancelled", "succeeded"]
    assert house.ends(mate) in (["drained", "succeeded"], ["succeeded"])


@pytest.mark.parametrize("deaf", [False, True])
def test_drain_gives_the_runs_back_in_time(build: Build, deaf: bool) -> None:
    house = build()
    runs = house.plant({**LONG, "deaf": deaf}, {**LONG, "deaf": deaf})
    house.begin()
    house.wait_step(runs[0], 25)
    asked = time.monotonic()
    with house.database.write() as session:
        session.execute(update(Worker).values(draining=True))
    house.join()
    assert time.monotonic() - asked < 1.0 + 2.5  # the drain's limit, and looks
    for run_id in runs:
        run = house.run(run_id)
        assert (run.status, run.lost_attempts, run.alone) == ("queued", 0, False)
        assert run.message == "The worker was shut down; the run goes on from its checkpoint."
        assert run.checkpoint_step is not None
        assert run.checkpoint_step >= 20
    assert house.ends(runs[0]) == ["drained"]


def test_time_limit_ends_a_run_with_a_sentence(build: Build) -> None:
    house = build(run_time_limit_s=3.0)  # time enough for a first checkpoint on a busy machine
    (run_id,) = house.plant(LONG)
    house.train()
    run = house.run(run_id)
    assert (run.status, run.failure_code) == ("failed", "time_limit")
    assert "DROPSCOPE_RUN_TIME_LIMIT_S" in (run.message or "")
    assert run.checkpoint_key is not None


def test_run_that_was_given_away_is_dropped_and_its_trainer_killed(build: Build) -> None:
    house = build()
    (run_id,) = house.plant(LONG)
    house.begin()
    house.wait_step(run_id, 5)
    pid = trainer_pid(house)
    with house.database.write() as session:
        endings.lose(session, run_id, 1, AttemptEnd.LOST, "a test took it", 3)
        session.execute(update(Run).values(status="running", fence=2, worker_id="another", claim_id="another"))
    house.join()
    until(lambda: not psutil.pid_exists(pid), "the end of the trainer")
    run = house.run(run_id)
    assert (run.status, run.fence, run.worker_id) == ("running", 2, "another")


def test_without_renewals_the_trainer_is_killed_before_the_lease_runs_out(
    build: Build,
) -> None:
    """The database is locked for longer than a lease: at 0.8 of it the trainer is gone."""
    house = build(lease_s=2.0)
    (run_id,) = house.plant(LONG)
    house.begin()
    house.wait_step(run_id, 5)
    pid = trainer_pid(house)
    with house.database.write() as session:
        session.connection()  # takes the lock
        locked = time.monotonic()
        until(lambda: not is_running(pid), "the trainer's end", 15)
        silent = time.monotonic() - locked
    assert silent < 2.0
    house.heartbeat.draining = True


def test_nothing_is_claimed_on_a_full_disk_and_running_work_is_given_back(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    house = build(disk_floor_bytes=1 << 20)
    (run_id,) = house.plant(LONG)
    monkeypatch.setattr("worker.supervisor.pack_supervisor.DISK_CHECK_S", 0.1)
    free = [1 << 30]
    monkeypatch.setattr(disk, "free_bytes", lambda _: free[0])
    house.begin()
    house.wait_step(run_id, 5)
    free[0] = 1000
    house.join()
    run = house.run(run_id)
    assert run.status == "queued"
    assert "Training waits for disk space" in (run.message or "")
    assert house.ends(run_id) == ["drained"]


def test_trainer_that_dies_idle_is_replaced(build: Build) -> None:
    house = build()
    house.heartbeat.start()
    first = house.supervisor.warm_up()
    os.kill(first.pid, signal.SIGKILL)
    until(lambda: first.read(0.05) == [] and first.gone, "the end of its events")
    second = house.supervisor.warm_up()
    assert second.pid != first.pid
    house.supervisor.close()
    house.heartbeat.stop()


def test_trainer_sees_no_secrets() -> None:
    environment = {
        "PATH": "/bin",
        "HOME": "/home/x",
        "HF_HUB_CACHE": "/cache",
        "HF_TOKEN": "s",
        "HF_HUB_TOKEN": "s",
        "DROPSCOPE_DATABASE_URL": "s",
        "DROPSCOPE_TOKEN": "s",
        "AWS_SECRET_ACCESS_KEY": "s",
        "LC_ALL": "C",
    }
    seen = scrubbed(environment)
    assert "s" not in seen.values()
    assert {"PATH", "HOME", "HF_HUB_CACHE", "LC_ALL"} <= set(seen)
    assert seen["OMP_NUM_THREADS"] == "1"
