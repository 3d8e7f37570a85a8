"""What a trainer reports arrives once, whatever is sent twice, and nothing of an old attempt."""

import math

from sqlalchemy import select

from backend.shared.database import Database
from backend.shared.store import records, study_events
from backend.shared.tables import EvaluationRow, Run, RunLog, TrainLossBlock
from backend.shared.trainer_protocol import Checkpoint, Evaluation, Log, Started, Steps
from tests.backend.queue.conftest import add_worker
from tests.backend.queue.test_claims import claim, planted
from tests.backend.queue.test_endings import lose


def started(run_id: str, fence: int, step: int = 0) -> Started:
    return Started(
        run_id=run_id,
        fence=fence,
        step=step,
        total_steps=40,
        trainable_parameters=7,
        hooks=({"position": "hidden", "sites": 6},),
        record={"precision": "fp32"},
    )


def steps(run_id: str, fence: int, first: int, *losses: float) -> Steps:
    return Steps(run_id=run_id, fence=fence, first_step=first, losses=losses, seconds_per_step=0.5)


def evaluation(run_id: str, fence: int, step: int, loss: float) -> Evaluation:
    return Evaluation(
        run_id=run_id, fence=fence, step=step, epoch=1.0, values={"validation/loss": loss}, extra={"x": 1}
    )


def record(database: Database, *batch: records.Recorded) -> frozenset[str]:
    with database.write() as session:
        return records.record(session, batch)


def losses_of(database: Database, run_id: str) -> dict[int, float]:
    with database.read() as session:
        blocks = session.execute(
            select(TrainLossBlock.first_step, TrainLossBlock.count, TrainLossBlock.losses)
            .where(TrainLossBlock.run_id == run_id)
            .order_by(TrainLossBlock.first_step)
        ).all()
    found: dict[int, float] = {}
    for first, count, block in blocks:
        values = records.unpack_losses(block)
        assert len(values) == count
        for step, value in enumerate(values, first):
            assert step not in found
            found[step] = value
    return found


def test_a_batch_becomes_rows(database: Database, worker_id: str) -> None:
    study_id, (run_id,) = planted(database)
    claim(database, worker_id)
    lost = record(
        database,
        started(run_id, 1),
        steps(run_id, 1, 1, 0.9, 0.8),
        steps(run_id, 1, 3, 0.7),
        evaluation(run_id, 1, 3, 0.6),
        Checkpoint(run_id=run_id, fence=1, step=3, folder="run/attempt-1/step-3"),
        Log(run_id=run_id, fence=1, level="info", text="a\x00b \ud800"),
    )
    assert lost == frozenset()
    assert losses_of(database, run_id) == {1: 0.9, 2: 0.8, 3: 0.7}
    with database.read() as session:
        run = session.get_one(Run, run_id)
        assert (run.step, run.total_steps, run.trainable_parameters, run.seconds) == (3, 40, 7, 1.5)
        assert run.record == {"precision": "fp32", "hooks": [{"position": "hidden", "sites": 6}]}
        assert (run.checkpoint_step, run.checkpoint_key) == (3, "run/attempt-1/step-3")
        row = session.scalars(select(EvaluationRow)).one()
        assert (row.step, row.validation_loss, row.probe_loss, row.extra) == (3, 0.6, None, {"x": 1})
        assert session.scalars(select(TrainLossBlock)).one().count == 3
        assert session.scalars(select(RunLog.text)).all() == ["a\ufffdb ?"]
        told = [(event.kind, event.data) for event in study_events.after(session, study_id, 1)]
    assert told == [("run", {"status": "running", "step": 3, "total_steps": 40}), ("evaluation", {"step": 3})]


def test_the_same_batch_twice_changes_no_number(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    batch = (steps(run_id, 1, 1, 0.9, 0.8), evaluation(run_id, 1, 2, 0.6))
    record(database, *batch)
    record(database, *batch)
    assert losses_of(database, run_id) == {1: 0.9, 2: 0.8}
    with database.read() as session:
        assert len(session.scalars(select(EvaluationRow)).all()) == 1


def test_old_fence_is_refused_and_others_of_the_batch_are_kept(database: Database, worker_id: str) -> None:
    _, (mine, other) = planted(database, arms=2)
    claim(database, worker_id)
    lose(database, other, 1)
    assert record(database, steps(mine, 1, 1, 0.9), steps(other, 1, 1, 0.1)) == {other}
    assert losses_of(database, mine) == {1: 0.9}
    assert losses_of(database, other) == {}


def test_resume_replaces_what_came_after_the_checkpoint(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    record(database, started(run_id, 1), steps(run_id, 1, 1, 1.0, 2.0, 3.0), evaluation(run_id, 1, 2, 0.5))
    record(database, steps(run_id, 1, 4, 4.0, 5.0), evaluation(run_id, 1, 5, 0.4))
    lose(database, run_id, 1)
    claim(database, add_worker(database))
    record(database, started(run_id, 2, step=2))
    assert losses_of(database, run_id) == {1: 1.0, 2: 2.0}
    with database.read() as session:
        assert session.scalars(select(EvaluationRow.step)).all() == [2]
        assert session.get_one(Run, run_id).step == 2
    record(database, steps(run_id, 2, 3, 3.0, 4.0, 5.0))
    assert losses_of(database, run_id) == {1: 1.0, 2: 2.0, 3: 3.0, 4: 4.0, 5: 5.0}


def test_nonfinite_numbers_are_kept_as_what_they_are(database: Database, worker_id: str) -> None:
    _, (run_id,) = planted(database)
    claim(database, worker_id)
    odd = Evaluation(
        run_id=run_id,
        fence=1,
        step=1,
        epoch=0.1,
        values={"validation/loss": math.nan, "probe/loss": math.inf, "train/loss": -math.inf, "train/tokens": 3.0},
        extra={"odd": math.nan},
    )
    record(database, steps(run_id, 1, 1, math.nan, math.inf), odd)
    assert [str(loss) for loss in losses_of(database, run_id).values()] == ["nan", "inf"]
    with database.read() as session:
        row = session.scalars(select(EvaluationRow)).one()
    assert (row.validation_loss, row.probe_loss, row.train_loss, row.train_tokens) == (None, None, None, 3.0)
    assert row.nonfinite == {"validation_loss": "nan", "probe_loss": "inf", "train_loss": "-inf", "odd": "nan"}
    assert row.extra == {"odd": None}
