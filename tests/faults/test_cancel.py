"""T10: a cancel works at every stage of a run, with and without a broker, and never leaves an adapter behind."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import closing

import pytest
from sqlalchemy import select

from backend.shared.database import Write
from backend.shared.errors import Conflict
from backend.shared.store import requests
from backend.shared.tables import Artifact
from tests.faults.house import House, until
from tests.faults.real_engine import World
from tests.processes import is_running

Build = Callable[..., House]
LONG = {"arms": 1, "seeds": 1, "epochs": 400}


def cancel(house: House, run_id: str) -> float:
    with house.database.write() as session:
        requests.cancel_run(session, run_id)
    return time.monotonic()


def ended(house: House, run_id: str, since: float, bar_s: float) -> float:
    until(lambda: house.run(run_id).finished_at, "the end of the run", bar_s)
    return time.monotonic() - since


def adapters(house: House, run_id: str) -> int:
    with house.database.read() as session:
        kept = select(Artifact).where(Artifact.run_id == run_id, Artifact.kind == "adapter")
        return len(session.scalars(kept).all())


@pytest.fixture(scope="module")
def staffed(world: World) -> Iterator[House]:
    """One house for the stages at which a warm trainer is cancelled; each leaves it in order."""
    with closing(House(world=world)) as house:
        house.start(1)
        yield house


def test_t10_claimed_run(build: Build, world: World) -> None:
    """The trainer is still loading its libraries."""
    house = build(world=world)
    house.start_broker()
    house.start_api()
    (run_id,) = house.plant_real(**LONG)
    house.start_worker()
    until(lambda: house.run(run_id).fence == 1, "the claim")
    assert_cancelled(house, run_id, "claimed")


@pytest.mark.xdist_group("staffed")
@pytest.mark.parametrize("stage", ["first step", "middle", "checkpoint", "without broker", "deaf"])
def test_t10_running_run(staffed: House, stage: str) -> None:
    """A trainer is deaf to a cancel when it hangs: it is stopped."""
    # "checkpoint": hundreds of evaluations, each with a checkpoint, so that most of the time one is written
    (run_id,) = staffed.plant_real(**LONG, evaluations=400 if stage == "checkpoint" else 6)
    staffed.wait_step(run_id, 1 if stage == "first step" else 60)
    hung = staffed.trainers() if stage == "deaf" else []
    for pid in hung:
        os.kill(pid, signal.SIGSTOP)
    if stage == "without broker":
        assert staffed.broker is not None
        os.kill(staffed.broker.pid, signal.SIGKILL)
    assert_cancelled(staffed, run_id, stage)
    assert len(hung) == (stage == "deaf")
    until(lambda: not any(map(is_running, hung)), "the end of the deaf trainer", 5)
    if stage == "without broker":
        staffed.start_broker()


def assert_cancelled(house: House, run_id: str, stage: str) -> None:
    """Cancel a run now: it ends within ten seconds and has no adapter."""
    since = cancel(house, run_id)
    took = ended(house, run_id, since, 10)
    run = house.run(run_id)
    print(f"T10 {stage}: {run.status} after {took:.1f} s at step {run.step}, bar 10 s")
    assert (run.status, adapters(house, run_id)) == ("cancelled", 0)


def test_t10_queued_and_ended_runs(build: Build, world: World) -> None:
    house = build(world=world)
    house.start(1)
    (done,) = house.plant_real(arms=1, seeds=1, epochs=1, evaluations=1)
    house.wait_all()
    with pytest.raises(Conflict):
        cancel(house, done)
    assert (house.run(done).status, adapters(house, done)) == ("succeeded", 1)
    (busy,) = house.plant_real(**LONG)
    house.wait_step(busy, 1)
    (waiting,) = house.plant_real(**LONG)
    since = cancel(house, waiting)
    took = ended(house, waiting, since, 1)
    print(f"T10 queued: cancelled after {took:.2f} s, bar 1 s")
    assert house.ends(waiting) == []
    cancel(house, busy)
    until(lambda: house.run(busy).finished_at, "the end", 10)


def test_t10_at_the_finish_it_is_one_or_the_other(build: Build, world: World) -> None:
    """Twelve short runs are cancelled around their last step: each is cancelled, or has its adapter."""
    house = build(world=world)
    house.start(1)
    runs = house.plant_real(arms=1, seeds=12, epochs=10, evaluations=2)
    for run_id in runs:
        house.wait_step(run_id, house.random.randrange(30, 110))

        def ask(session: Write, run_id: str = run_id) -> None:
            try:
                requests.cancel_run(session, run_id)
            except Conflict:
                assert session.scalar(select(Artifact.id).where(Artifact.run_id == run_id)) is not None

        with house.database.write() as session:
            ask(session)
    statuses = house.wait_all()
    found = [(house.run(run_id).status, adapters(house, run_id)) for run_id in runs]
    print(f"T10 at the finish: {statuses.count('cancelled')} cancelled, {statuses.count('succeeded')} finished")
    assert set(found) <= {("cancelled", 0), ("succeeded", 1)}
