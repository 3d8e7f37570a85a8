"""T1, T2, T3, T8, T11: workers and trainers that are killed, stopped or shut down lose nothing and corrupt nothing."""

import os
import signal
import time
from collections.abc import Callable
from contextlib import closing

import psutil
import pytest
from sqlalchemy import select

from backend.shared.store import study_events
from backend.shared.tables import Run
from tests.faults.house import SCALE, House, child_of, until
from tests.faults.posting import post_study
from tests.faults.real_engine import STEPS_AN_EPOCH, World
from tests.processes import is_running

Build = Callable[..., House]
KILLS, EPOCHS = (3, 12) if SCALE < 1 else (10, 20)
STEPS = EPOCHS * STEPS_AN_EPOCH
ONCE = pytest.mark.xdist_group("undisturbed")  # what they compare with is trained once


@pytest.fixture(scope="module")
def undisturbed(world: World) -> str:
    """Digest of a study of two arms and two seeds, trained by the real engine in peace."""
    with closing(House(world=world)) as house:
        house.start(1)
        house.plant_real(epochs=EPOCHS)
        assert set(house.wait_all()) == {"succeeded"}
        return house.digest()


@pytest.mark.timeout(1800)
def test_t1_killed_worker_loses_nothing(build: Build, world: World) -> None:
    """Three times (ten by `make faults`) the whole group of the worker that trains is killed at a random step.

    Two runs and three workers: one has nothing to do at the moment of every kill, so that the time until the run is
    taken up again is the queue's alone, as it is at the real lease, and not that of a Python process that starts.
    """
    house = build(world=world)
    house.start(3)
    peaceful = house.plant_real(epochs=EPOCHS, seeds=1)
    assert set(house.wait_all()) == {"succeeded"}
    times: list[float] = []
    studies: list[list[str]] = []
    while len(times) < KILLS:
        runs = house.plant_real(epochs=EPOCHS, seeds=1)
        studies.append(runs)
        for victim in runs:
            step = house.random.randrange(2, STEPS * 2 // 3)
            until(lambda v=victim, s=step: _ripe(house, v, s) or house.run(v).finished_at, f"step {step}")
            pid = house.owner_pid(victim)
            if pid is None or len(times) == KILLS:
                continue  # it was quicker than we
            fence = house.run(victim).fence
            os.killpg(os.getpgid(pid), signal.SIGKILL)
            killed = time.monotonic()
            house.start_worker()
            until(lambda v=victim, f=fence: house.run(v).fence > f, "the next attempt", 60 + 45 * SCALE)
            times.append(time.monotonic() - killed)
        assert set(house.wait_all()) == {"succeeded"}
    equal = [house.digest(runs[0]) == house.digest(peaceful[0]) for runs in studies]
    print(
        f"T1: {len(times)} kills; running again after {', '.join(f'{t:.1f}' for t in times)} s, bar {45 * SCALE:g} s; "
        f"digest equal {sum(equal)}/{len(equal)}"
    )
    assert max(times) <= 45 * SCALE
    assert all(equal)


def _ripe(house: House, victim: str, step: int) -> bool:
    """Whether a run is at the step at which its worker shall die, while another waits and no work does."""
    return house.run(victim).step >= step and "queued" not in house.statuses() and bool(house.idle_workers())


@ONCE
@pytest.mark.parametrize("victim", ["trainer", "child", "main"])
def test_t2_one_dead_process_is_one_attempt(build: Build, world: World, undisturbed: str, victim: str) -> None:
    house = build(world=world)
    house.start(1)
    runs = house.plant_real(epochs=EPOCHS)
    house.wait_step(runs[0], 30)
    supervising = child_of(house.workers[0])
    before = set(house.trainers()) | {supervising, house.workers[0].pid}
    pid = {"trainer": house.trainers()[0], "child": supervising, "main": house.workers[0].pid}[victim]
    os.kill(pid, signal.SIGKILL)
    killed = time.monotonic()
    dying = {"trainer": {pid}, "child": before - {house.workers[0].pid}, "main": before}[victim]
    until(lambda: not any(is_running(one) for one in dying), "the end of what depends on it", 2)
    gone = time.monotonic() - killed
    if victim == "main":
        house.start_worker()
    assert set(house.wait_all()) == {"succeeded"}
    ends = [house.ends(run_id) for run_id in runs]
    print(f"T2 {victim}: dependants gone after {gone:.2f} s (bar 2 s); attempts {ends}")
    lost = "crashed" if victim == "trainer" else "lost"
    assert ends == [[lost, "succeeded"]] * 2 + [["succeeded"]] * 2
    assert house.digest() == undisturbed


def test_t3_run_that_always_crashes_stops(build: Build, world: World) -> None:
    """Whatever attempt it is, the trainer is killed once it has begun to train."""
    house = build(world=world)
    house.start(1)
    (bad,) = house.plant_real(arms=1, seeds=1, epochs=400)
    (good,) = house.plant_real(arms=1, seeds=1, epochs=1, evaluations=1)
    for attempt in (1, 2, 3):
        until(lambda a=attempt: house.run(bad).fence == a and _trains(house, bad), f"training of attempt {attempt}")
        os.kill(until(house.trainers, "its trainer")[0], signal.SIGKILL)
        until(lambda a=attempt: len([end for end in house.ends(bad) if end]) == a, f"the end of attempt {attempt}")
    until(lambda: house.run(bad).finished_at, "the end of the bad run")
    ended = time.monotonic()
    until(lambda: house.run(good).fence > 0, "the start of the next run", 10)
    print(f"T3: {len(house.ends(bad))} starts; the next run {time.monotonic() - ended:.1f} s later, bar 10 s")
    assert house.ends(bad) == ["crashed"] * 3
    assert (house.run(bad).status, house.run(bad).failure_code) == ("failed", "trainer_crashed")
    assert house.wait_all() == ["failed", "succeeded"]


def _trains(house: House, run_id: str) -> bool:
    """Whether the present attempt has taken a step: its first losses are in the run's row."""
    run = house.run(run_id)
    return run.status == "running" and run.step > (run.checkpoint_step or 0)


def test_t8_paused_worker_cannot_corrupt(build: Build, world: World) -> None:
    """The worker and its trainer stop for two leases; another finishes the run; then they wake up."""
    house = build(world=world)
    house.start(1)
    (run_id,) = house.plant_real(arms=1, seeds=1, epochs=40)
    house.wait_step(run_id, 120)
    sleeping = [house.workers[0].pid, child_of(house.workers[0]), *house.trainers()]
    trainer = house.trainers()[0]
    for pid in sleeping:
        os.kill(pid, signal.SIGSTOP)
    paused = time.monotonic()
    house.start_worker()
    until(lambda: house.run(run_id).fence == 2, "the second attempt", 45 * SCALE + 10)
    retaken = time.monotonic() - paused
    assert house.wait_all() == ["succeeded"]
    before = house.digest()
    with house.database.read() as session:
        seq = study_events.last_seq(session, house.run(run_id).study_id)
    for pid in reversed(sleeping):
        os.kill(pid, signal.SIGCONT)
    woken = time.monotonic()
    until(lambda: not is_running(trainer), "the end of the old trainer", 10)
    print(
        f"T8: taken over after {retaken:.1f} s; old trainer gone {time.monotonic() - woken:.1f} s after waking (bar 10)"
    )
    assert house.ends(run_id) == ["lost", "succeeded"]
    assert house.digest() == before
    with house.database.read() as session:
        assert study_events.last_seq(session, house.run(run_id).study_id) == seq
    (artifact,) = (house.home / "artifacts").rglob("adapter/adapter_model.safetensors")
    assert artifact.parts[-3] == "attempt-2"
    house.plant_real(arms=1, seeds=1, epochs=1, evaluations=1)  # the woken worker registers anew and is of use again
    house.workers[1].kill()
    assert house.wait_all() == ["succeeded", "succeeded"]


@ONCE
def test_t11_deploys_do_not_cost_work(build: Build, world: World, undisturbed: str) -> None:
    """SIGTERM, and again and again while it stops."""
    house = build(world=world)
    house.start(1)
    runs = house.plant_real(epochs=EPOCHS)
    house.wait_step(runs[0], 60)
    worker = house.workers[0]
    asked = time.monotonic()
    until(lambda: worker.ask_to_stop() or time.monotonic() - asked > 1, "some thirty signals")
    assert worker.wait(10)
    took = time.monotonic() - asked
    stopped = house.run(runs[0])
    assert (stopped.status, stopped.lost_attempts, stopped.alone) == ("queued", 0, False)
    house.start_worker()
    assert set(house.wait_all()) == {"succeeded"}
    lost = stopped.step - (stopped.checkpoint_step or 0)
    print(f"T11: stopped after {took:.1f} s, bar 10 s; {lost} steps lost")
    assert lost == 0
    assert [house.ends(run_id) for run_id in runs] == [["drained", "succeeded"]] * 2 + [["succeeded"]] * 2
    assert house.digest() == undisturbed
    assert not psutil.pid_exists(worker.pid)


def test_t31_out_of_memory_is_explained_and_isolated(build: Build, world: World) -> None:
    """MiniLM with a batch that cannot fit into the memory its trainer may have; the next run gets a fresh process."""
    house = build(world=world)
    house.start(1)
    _, (small,) = post_study(house)
    until(lambda: house.run(small).finished_at, "the end of the first run", 60)
    before = house.trainers()
    (trainer,) = map(psutil.Process, before)
    most = trainer.memory_info().vms + (256 << 20)
    trainer.rlimit(psutil.RLIMIT_AS, (most, most))
    _, (bad,) = post_study(house, train_rows=512, training={"epochs": 1, "evaluations": 1, "batch_size": 512})
    until(lambda: house.run(bad).finished_at, "the end of the bad run", 60)
    _, (good,) = post_study(house)
    ended = time.monotonic()
    until(lambda: house.run(good).finished_at, "the end of the next run", 60)
    run = house.run(bad)
    print(f"T31: {run.failure_code} ({run.message}); the next run was done {time.monotonic() - ended:.1f} s later")
    assert (run.status, run.failure_code) == ("failed", "out_of_memory")
    assert "training.batch_size (now 512)" in (run.message or "")
    assert [house.run(one).status for one in (small, good)] == ["succeeded"] * 2
    assert not set(before) & set(house.trainers())


def test_killed_stack_leaves_no_orphans_and_goes_on(build: Build) -> None:
    """kill -9 of `dropscope up` itself: Valkey and the workers end by themselves, and the next start goes on."""
    house = build(broker_url=None)
    house.start_api(worker_count=1)
    assert house.api is not None
    until(house.alive_workers, "a worker")
    (worker_id, _), *_ = house.alive_workers()
    os.kill(house.api.pid, signal.SIGKILL)
    killed = time.monotonic()
    house.api.wait(5)
    until(lambda: not house.ours(), "the end of all children", 15)
    took = time.monotonic() - killed
    house.start_api(worker_count=1)
    until(lambda: {w for w, _ in house.alive_workers()} - {worker_id}, "a new worker")
    print(f"killed stack: nothing left after {took:.1f} s")
    assert took < 10
    house.api.ask_to_stop()
    assert house.api.wait(15)


def _kill_after_checkpoints(house: House, kills: int, only: str | None = None) -> int:
    """Kill the trainer of a run (of `only`) that has a new checkpoint, so many times; the most that one run was hit.

    A row may still speak of a trainer that is dead already: only what was killed counts.
    """
    hits: dict[str, int] = {}
    seen: dict[str, int] = {}

    def further() -> str | None:
        assert {"queued", "running"} & set(house.statuses()), f"all runs ended at {sum(hits.values())} of {kills} kills"
        with house.database.read() as session:
            rows = session.execute(select(Run.id, Run.checkpoint_step).where(Run.status == "running")).all()
        return next((one for one, step in rows if only in (None, one) and (step or 0) > seen.get(one, 0)), None)

    while sum(hits.values()) < kills:
        run_id = until(further, "a new checkpoint", 120)
        pid = house.owner_pid(run_id)
        seen[run_id] = house.run(run_id).checkpoint_step or 0
        for trainer in house.trainers():
            if pid is not None and psutil.Process(trainer).ppid() == pid:
                os.kill(trainer, signal.SIGKILL)
                hits[run_id] = hits.get(run_id, 0) + 1
    return max(hits.values())


@pytest.mark.timeout(600)
def test_a_run_that_gets_further_is_not_given_up(build: Build, world: World) -> None:
    """Killed five times, each time after a new checkpoint (at first in a pack): it ends with the numbers of peace.

    Its 1,440 steps are long beside what a processor does between a checkpoint and its kill.
    """
    house = build(world=world, checkpoint_s=0.1)
    house.start(1)
    peaceful = house.plant_real(arms=1, epochs=120)
    assert set(house.wait_all(240)) == {"succeeded"}
    disturbed = house.plant_real(arms=1, epochs=120)
    assert _kill_after_checkpoints(house, 5, only=disturbed[0]) == 5
    assert set(house.wait_all(240)) == {"succeeded"}
    assert house.ends(disturbed[0]) == ["crashed"] * 5 + ["succeeded"]
    assert house.digest(disturbed[0]) == house.digest(peaceful[0])


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_thirty_kills_lose_no_run_of_twenty(build: Build, world: World) -> None:
    """A study of 20 runs, 30 kills after new checkpoints: 20 of 20, with the numbers of peace."""
    peaceful = build(world=world)
    peaceful.start(1)
    peaceful.plant_real(arms=4, seeds=5, epochs=EPOCHS)
    assert set(peaceful.wait_all(600)) == {"succeeded"}
    undisturbed = peaceful.digest()
    peaceful.close_processes()
    house = build(world=world, checkpoint_s=0.1)
    house.start(2)
    house.plant_real(arms=4, seeds=5, epochs=EPOCHS)
    hit = _kill_after_checkpoints(house, 30)
    statuses = house.wait_all(900)
    print(f"30 kills, {hit} of one run at most; {statuses.count('succeeded')} of {len(statuses)} succeeded")
    assert statuses == ["succeeded"] * 20
    assert house.digest() == undisturbed
