"""T35: whatever happens in whatever order, no run has two owners, no end is undone, and nothing waits for ever."""

import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings, strategies
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from pydantic import SecretStr
from sqlalchemy import delete

from backend.queue.reaper import Reaper
from backend.shared.database import Database, open_database
from backend.shared.errors import Conflict
from backend.shared.process import ProcessId
from backend.shared.run_status import TERMINAL, AttemptEnd, FailureCode
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, records, requests, workers
from backend.shared.store.queue import Pack
from backend.shared.tables import Study, Worker
from backend.shared.trainer_protocol import Steps
from tests.databases import postgres_too
from tests.make_queue_studies import plant

LEASE_S = 30.0
SEQUENCES = int(os.environ.get("DROPSCOPE_TEST_SEQUENCES", "1000"))
ELSEWHERE = ProcessId("elsewhere", 1, 1.0)


class Ground:
    """The database that all sequences of a test use; each begins with empty tables."""

    database: Database
    settings: Settings

    def open(self, given: Settings) -> None:
        self.settings = given
        self.database = open_database(given)

    def look(self, query: str) -> list[Any]:
        """Rows of a query in plain SQL: most of what a sequence asks is asked by its checks, and the ORM costs more."""
        with self.database.engine.connect() as connection:
            return list(connection.exec_driver_sql(query).all())

    def fresh(self) -> tuple[Database, Settings]:
        with self.database.write() as session:
            for table in (Study, Worker):  # what belongs to a study goes with it
                session.execute(delete(table))
        return self.database, self.settings


GROUND = Ground()


class QueueModel(RuleBasedStateMachine):
    """Workers claim, renew, write, end, drain, crash and vanish; people cancel, retry and pause; time passes."""

    packs = Bundle("packs")

    def __init__(self) -> None:
        super().__init__()
        self.database, self.settings = GROUND.fresh()
        self.clock = 0.0
        self.reaper = Reaper(self.database, self.settings, lambda: None, lambda: self.clock)
        self.owners: dict[tuple[str, int], str] = {}  # (run, fence) → claim
        self.ended: dict[str, str] = {}  # terminal status of runs that nobody asked to retry
        self.written: dict[str, int] = {}  # run → fence of its newest accepted write
        with self.database.write() as session:
            self.study_id, self.runs = plant(session, [{}, {}], 2)
            self.worker_ids = [workers.register(session, ELSEWHERE, "cpu", "0") for _ in range(2)]

    # What workers do

    @rule(target=packs, worker=strategies.integers(0, 1), size=strategies.integers(1, 4))
    def claim(self, worker: int, size: int) -> Any:
        with self.database.write() as session:
            pack = queue.claim_pack(session, self.worker_ids[worker], size, LEASE_S)
        if pack is None:
            return multiple()
        for run in pack.runs:
            assert (run.run_id, run.fence) not in self.owners
            self.owners[run.run_id, run.fence] = pack.claim_id
        return pack

    @rule(pack=packs)
    def renew(self, pack: Pack) -> None:
        with self.database.write() as session:
            held = queue.renew(session, pack, LEASE_S).held
        assert held == {run_id: fence for run_id, fence in pack.fences.items() if self.owns(run_id, fence)}

    @rule(pack=packs)
    def write(self, pack: Pack) -> None:
        own = {run_id for run_id, fence in pack.fences.items() if self.owns(run_id, fence)}
        batch = [
            Steps(run_id=run_id, fence=fence, first_step=1, losses=(float(fence),), seconds_per_step=0.1)
            for run_id, fence in pack.fences.items()
        ]
        with self.database.write() as session:
            lost = records.record(session, batch)
        assert lost == pack.fences.keys() - own
        self.written |= {run_id: pack.fences[run_id] for run_id in own}

    @rule(pack=packs, how=strategies.sampled_from(["finish", "fail", "cancelled", "give_back", "crash"]))
    def end(self, pack: Pack, how: str) -> None:
        run_id, fence = next(iter(pack.fences.items()))
        own = self.owns(run_id, fence)
        with self.database.write() as session:
            match how:
                case "finish":
                    done: object = endings.finish(session, run_id, fence, 40, {})
                case "fail":
                    done = endings.fail(session, run_id, fence, FailureCode.LOSS_NAN, "no number")
                case "cancelled":
                    done = endings.cancelled(session, run_id, fence)
                case "give_back":
                    done = endings.give_back(session, run_id, fence, "shut down")
                case _:
                    done = endings.lose(session, run_id, fence, AttemptEnd.CRASHED, "died", 3)
        assert bool(done) == own
        self.note_ends()

    @rule(pack=consumes(packs))
    def vanish(self, pack: Pack) -> None:
        """Its worker is never heard of again."""

    @rule(worker=strategies.integers(0, 1))
    def idle(self, worker: int) -> None:
        with self.database.write() as session:
            workers.release(session, self.worker_ids[worker])
            if not workers.heartbeat(session, self.worker_ids[worker]).known:
                self.worker_ids[worker] = workers.register(session, ELSEWHERE, "cpu", "0")

    # What people do

    @rule(run=strategies.integers(0, 3))
    def cancel(self, run: int) -> None:
        self.ask(requests.cancel_run, self.runs[run], may=self.status(self.runs[run]) not in TERMINAL)

    @rule(run=strategies.integers(0, 3))
    def retry(self, run: int) -> None:
        may = self.status(self.runs[run]) in ("failed", "cancelled")
        self.ask(requests.retry_run, self.runs[run], may=may)
        if may:
            self.ended.pop(self.runs[run])

    @rule(paused=strategies.booleans())
    def pause(self, paused: bool) -> None:
        with self.database.write() as session:
            session.get_one(Study, self.study_id).paused = paused

    # What time does

    @rule(seconds=strategies.sampled_from([1.0, 10.0, LEASE_S, 3600.0]))
    def wait(self, seconds: float) -> None:
        self.clock += seconds

    @rule()
    def reap(self) -> None:
        self.reaper.tick()
        self.note_ends()

    # What must always hold

    @invariant()
    def all_holds(self) -> None:
        attempts = GROUND.look('SELECT run_id, fence, "end" FROM attempts')
        blocks = GROUND.look("SELECT run_id, losses FROM train_loss_blocks")
        for run in GROUND.look("SELECT * FROM runs"):
            tried = sorted(fence for run_id, fence, _ in attempts if run_id == run.id)
            unended = [fence for run_id, fence, end in attempts if run_id == run.id and end is None]
            assert tried == list(range(1, run.fence + 1)), "every claim is an attempt"
            assert run.lost_attempts <= 3, "attempts are bounded"
            assert (run.status in TERMINAL) == (run.finished_at is not None)
            assert self.ended.get(run.id, run.status) == run.status, "an end is final"
            if run.status != "running":
                assert unended == []
                continue
            assert unended == [run.fence]
            assert run.lease_until is not None
            assert run.worker_id is not None
            assert self.owners[run.id, run.fence] == run.claim_id, "one owner a fence"
        for run_id, block in blocks:
            assert records.unpack_losses(block) == (float(self.written[run_id]),), "no number of an old fence"

    def teardown(self) -> None:
        """Nothing is stuck: with one worker that works and a reaper, every run ends."""
        with self.database.write() as session:
            session.get_one(Study, self.study_id).paused = False
            worker_id = workers.register(session, ELSEWHERE, "cpu", "0")
        for _ in range(2):
            self.clock += LEASE_S
            self.reaper.tick()
        for _ in range(len(self.runs) + 1):
            if self.all_ended():
                break
            with self.database.write() as session:
                if session.get_one(Worker, worker_id).stopped_at is not None:
                    worker_id = workers.register(session, ELSEWHERE, "cpu", "0")
                pack = queue.claim_pack(session, worker_id, 4, LEASE_S)
                assert pack is not None, "what waits can be had"
                for run_id, fence in pack.fences.items():
                    assert endings.finish(session, run_id, fence, 40, {})
        assert self.all_ended()

    # Helpers

    def owns(self, run_id: str, fence: int) -> bool:
        query = f"SELECT 1 FROM runs WHERE id = '{run_id}' AND status = 'running' AND fence = {fence}"
        return bool(GROUND.look(query))

    def all_ended(self) -> bool:
        return all(run.status in TERMINAL for run in GROUND.look("SELECT status FROM runs"))

    def status(self, run_id: str) -> str:
        ((found,),) = GROUND.look(f"SELECT status FROM runs WHERE id = '{run_id}'")
        return str(found)

    def ask(self, what: Any, run_id: str, *, may: bool) -> None:
        try:
            with self.database.write() as session:
                what(session, run_id)
            assert may
        except Conflict:
            assert not may
        self.note_ends()

    def note_ends(self) -> None:
        for run_id, status in GROUND.look("SELECT id, status FROM runs"):
            if status in TERMINAL:
                assert self.ended.setdefault(run_id, status) == status


@pytest.mark.timeout(3600)  # ten thousand sequences by `make faults`
@pytest.mark.parametrize(("kind", "sequences"), [("sqlite", SEQUENCES), postgres_too(SEQUENCES // 10)])
def test_t35_nothing_is_stuck_or_owned_twice(
    kind: str, sequences: int, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    url = request.getfixturevalue("postgres").fresh() if kind == "postgres" else None
    if url is None:
        shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / "dropscope.db")
    GROUND.open(Settings(home=tmp_path, database_url=SecretStr(url) if url else None, lease_s=LEASE_S, max_attempts=3))
    relaxed = settings(
        max_examples=sequences,
        stateful_step_count=15,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        print_blob=True,
    )
    try:
        run_state_machine_as_test(QueueModel, settings=relaxed)
    finally:
        GROUND.database.close()
    print(f"T35 {kind}: {sequences} sequences, 0 violations")
