"""Packs from claim to end: what is recorded, what is kept warm, and what a crash costs."""

import re

import pytest
from sqlalchemy import select, update

from backend.shared.tables import Arm, Artifact, RunLog, Worker
from tests.make_queue_studies import digest
from tests.worker.supervisor.conftest import Build

pytestmark = pytest.mark.slow


def test_all_packs_are_trained_on_one_warm_trainer(build: Build) -> None:
    house = build()
    runs = house.plant({}, {}, seeds=3)
    house.train()
    assert house.statuses(runs) == ["succeeded"] * 6
    assert house.packs == 3
    logs = list((house.settings.home / "logs").iterdir())
    assert len(logs) == 1  # one trainer's
    with house.database.read() as session:
        worker = session.scalars(select(Worker)).one()
        assert worker.claim_id is None
        assert worker.tokens_per_second
        assert worker.tokens_per_second > 0
        artifacts = session.scalars(select(Artifact)).all()
    kinds = ("adapter", "adapter_stopped")
    assert sorted(a.storage_key for a in artifacts) == sorted(
        f"{run}/attempt-1/{kind}" for run in runs for kind in kinds
    )
    assert {(a.kind, a.step, *a.clocks) for a in artifacts} == {
        ("adapter", 40, "last"),
        ("adapter_stopped", 1, "stopped"),
    }
    for artifact in artifacts:
        assert artifact.bytes == 32
        assert (house.settings.artifacts / artifact.storage_key / "adapter.bin").stat().st_size == 32
    assert not list(house.settings.artifacts.rglob("checkpoint-*"))  # of no use after the end


def test_ring_goes_on_while_work_is_left(build: Build) -> None:
    house = build()
    house.plant({"steps": 2}, seeds=3)
    house.train()
    assert len(house.rings) == 2  # after the first and the second claim, not after the last


def test_first_step_is_written_at_once(build: Build) -> None:
    house = build(flush_s=600)
    (run_id,) = house.plant({"steps": 400, "step_s": 0.5, "evaluate_every": 1000})  # slow: a late look finds one step
    house.begin()
    house.wait_step(run_id)
    run = house.run(run_id)
    assert (run.step, run.total_steps, run.status) == (1, 400, "running")
    assert run.record == {"precision": "toy", "hooks": [{"position": "hidden", "sites": 1}]}


def test_crash_costs_an_attempt_and_no_number(build: Build) -> None:
    undisturbed, crashed = build(), build()
    undisturbed.plant({"step_s": 0.05}, {"step_s": 0.05})
    undisturbed.train()
    runs = crashed.plant({"step_s": 0.05}, {"step_s": 0.05})
    crashed.begin()
    crashed.wait_step(runs[0], 11)
    assert crashed.supervisor._trainer is not None
    crashed.supervisor._trainer.kill()
    crashed.join()
    assert crashed.statuses(runs) == ["succeeded"] * 2
    assert [crashed.ends(run_id) for run_id in runs] == [["crashed", "succeeded"]] * 2
    assert [attempt.from_step for attempt in crashed.attempts(runs[0])] == [0, 10]
    numbers = [digest(house.database, house.settings.home) for house in (undisturbed, crashed)]
    assert numbers[0] == numbers[1]


def test_run_that_always_kills_its_trainer_ends_and_spares_its_mates(build: Build) -> None:
    house = build()
    bad, good = house.plant({"kill_at": 15}, {})
    house.train()
    assert house.statuses([bad, good]) == ["failed", "succeeded"]
    assert house.ends(bad) == ["crashed"] * 4  # once with its mate, which does not count, then three times alone
    run = house.run(bad)
    assert run.failure_code == "trainer_crashed"
    assert re.search("3 attempts ended without a word.*killed by the system", run.message or "")
    assert house.ends(good) == ["crashed", "succeeded"]


def test_last_words_of_a_trainer_are_kept(build: Build) -> None:
    house = build(max_attempts=1)
    (run_id,) = house.plant({"exit_at": 3})
    house.train()
    assert house.run(run_id).message == (
        "1 attempt ended without a word and got no further, the last one so: "
        "The training process exited with code 1: toy: told to exit"
    )
    with house.database.read() as session:
        assert [line.text for line in session.scalars(select(RunLog))] == ["toy: told to exit"]


def test_failed_run_takes_nobody_with_it_and_its_trainer_is_not_used_again(build: Build) -> None:
    house = build()
    runs = house.plant({"fail_at": 5, "code": "loss_nan"}, {}, seeds=2)
    house.train()
    assert house.statuses(runs) == ["failed", "succeeded"] * 2
    assert house.run(runs[0]).failure_code == "loss_nan"
    assert house.run(runs[0]).message == "The toy was told to fail."
    assert house.ends(runs[1]) == ["succeeded"]


def test_specification_of_another_version_fails_its_run_only(build: Build) -> None:
    house = build()
    bad, good = house.plant({}, {})
    with house.database.write() as session:
        session.execute(update(Arm).where(Arm.position == 0).values(spec={"spec_version": 99}))
    house.train()
    assert house.statuses([bad, good]) == ["failed", "succeeded"]
    assert house.run(bad).failure_code == "bad_input"


def test_nan_is_a_number_like_others(build: Build) -> None:
    house = build()
    (run_id,) = house.plant({"nan_from": 5})
    house.train()
    assert house.run(run_id).status == "succeeded"
