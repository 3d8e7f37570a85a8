"""The queue: the table `runs` itself, from which a worker claims a pack with one guarded update.

A claim raises each run's fence and sets its lease in the same statement, so that no row is ever running without one.
"""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, cast, exists, func, insert, literal, select, update
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.ids import new_id
from backend.shared.run_status import RunStatus
from backend.shared.store import study_events
from backend.shared.tables import EPOCH, Arm, Attempt, Run, Study, UtcTime, Worker, now

NO_SYNC = {"synchronize_session": False}


@dataclass(frozen=True)
class ClaimedRun:
    """One run of a pack; `spec` is the arm's JSON, not yet checked: a bad one is to fail its run, not the claim."""

    run_id: str
    fence: int
    attempt: int
    seed: int
    spec: dict[str, Any]
    checkpoint_step: int | None
    checkpoint_key: str | None


@dataclass(frozen=True)
class Pack:
    """Runs of one study and one seed that one worker trains together."""

    claim_id: str
    worker_id: str
    study_id: str
    runs: tuple[ClaimedRun, ...]

    @property
    def fences(self) -> dict[str, int]:
        """Run id → the fence under which this pack may write."""
        return {run.run_id: run.fence for run in self.runs}


@dataclass(frozen=True)
class Renewal:
    """What one renewal found: the fences that still hold, and the runs that are to be cancelled."""

    held: dict[str, int]
    cancel: frozenset[str]


def clock(session: Session) -> datetime:
    """The moment by the database's clock, so that leases of many machines are told by one."""
    if session.get_bind().dialect.name == "sqlite":
        return now()
    micros = session.scalar(select(cast(func.extract("epoch", func.clock_timestamp()) * 1_000_000, BigInteger)))
    return EPOCH + timedelta(microseconds=micros or 0)


def claimable(at: datetime) -> ColumnElement[bool]:
    """Queued, due, and of a study that is neither paused nor archived; needs `runs` joined with `studies`."""
    waiting = (Run.status == RunStatus.QUEUED) & (Run.not_before <= at)
    return waiting & Study.paused.is_(False) & Study.archived_at.is_(None)


def claim_pack(session: Write, worker_id: str, pack_size: int, lease_s: float) -> Pack | None:
    """Claim the oldest due run and its mates for a worker; None where nothing waits or the worker is draining.

    Mates share the study, the seed and the checkpoint's step. A pack holds at most `pack_size` runs and at most the
    study's arms spread over the idle workers, so that the first comparison of all arms is complete early.
    """
    at = clock(session)
    worker = session.get(Worker, worker_id)
    if worker is None or worker.draining or worker.stopped_at is not None:
        return None
    ids = _pick(session, worker_id, pack_size, at - timedelta(seconds=lease_s), at)
    if not ids:
        return None
    claim_id = new_id("claim")
    taken = (
        update(Run)
        .where(Run.id.in_(ids), Run.status == RunStatus.QUEUED)
        .values(
            status=RunStatus.RUNNING,
            fence=Run.fence + 1,
            attempt=Run.attempt + 1,
            heartbeat_seq=Run.heartbeat_seq + 1,
            worker_id=worker_id,
            claim_id=claim_id,
            lease_until=at + timedelta(seconds=lease_s),
            started_at=func.coalesce(Run.started_at, literal(at, UtcTime())),
            message=None,
        )
        .returning(Run.id)
        .execution_options(**NO_SYNC)
    )
    claimed = session.scalars(taken).all()
    if not claimed:
        return None
    pack = _load(session, claim_id, worker_id)
    attempts = [
        {
            "id": new_id("attempt"),
            "run_id": run.run_id,
            "fence": run.fence,
            "claim_id": claim_id,
            "worker_id": worker_id,
            "from_step": run.checkpoint_step or 0,
            "started_at": at,
        }
        for run in pack.runs
    ]
    session.execute(insert(Attempt), attempts)
    session.execute(update(Worker).where(Worker.id == worker_id).values(claim_id=claim_id).execution_options(**NO_SYNC))
    changed: list[study_events.NewEvent] = [
        ("run", run.run_id, {"status": "running", "attempt": run.attempt}) for run in pack.runs
    ]
    study_events.append(session, pack.study_id, changed)
    return pack


def _pick(session: Write, worker_id: str, pack_size: int, alive_since: datetime, at: datetime) -> list[str]:
    """Ids of the runs to claim; on Postgres their rows are locked and those locked by others are passed over."""
    in_order = (Run.priority.desc(), Study.created_at, Study.id, Run.position)
    due = select(Run).join(Study, Study.id == Run.study_id).where(claimable(at)).order_by(*in_order)
    leader = session.scalars(due.limit(1).with_for_update(skip_locked=True, of=Run)).first()
    if leader is None:
        return []
    if leader.alone:
        return [leader.id]
    arms = session.scalar(select(func.count()).select_from(Arm).where(Arm.study_id == leader.study_id)) or 1
    others = select(func.count()).where(
        Worker.id != worker_id,
        Worker.stopped_at.is_(None),
        Worker.draining.is_(False),
        Worker.claim_id.is_(None),
        Worker.heartbeat_at >= alive_since,
    )
    idle = 1 + (session.scalar(others) or 0)
    size = min(pack_size, math.ceil(arms / idle))
    mates = (
        due.where(
            Run.study_id == leader.study_id,
            Run.seed == leader.seed,
            Run.alone.is_(False),
            Run.checkpoint_step.is_not_distinct_from(leader.checkpoint_step),
        )
        .limit(size)
        .with_for_update(skip_locked=True, of=Run)
    )
    return [run.id for run in session.scalars(mates)]


def _load(session: Write, claim_id: str, worker_id: str) -> Pack:
    rows = session.execute(
        select(
            Run.study_id, Run.id, Run.fence, Run.attempt, Run.seed, Arm.spec, Run.checkpoint_step, Run.checkpoint_key
        )
        .join(Arm, Arm.id == Run.arm_id)
        .where(Run.claim_id == claim_id)
        .order_by(Run.position)
    ).all()
    runs = tuple(ClaimedRun(*row[1:]) for row in rows)
    return Pack(claim_id, worker_id, rows[0].study_id, runs)


def renew(session: Write, pack: Pack, lease_s: float) -> Renewal:
    """Push the leases of a pack forward; a run that is not in `held` belongs to somebody else now, or has ended."""
    renewed = (
        update(Run)
        .where(Run.claim_id == pack.claim_id, Run.status == RunStatus.RUNNING)
        .values(heartbeat_seq=Run.heartbeat_seq + 1, lease_until=clock(session) + timedelta(seconds=lease_s))
        .returning(Run.id, Run.fence, Run.cancel_requested_at)
        .execution_options(**NO_SYNC)
    )
    return _renewal(pack, session.execute(renewed).all())


def look(session: Session, pack: Pack) -> Renewal:
    """As `renew`, without pushing the leases."""
    query = select(Run.id, Run.fence, Run.cancel_requested_at).where(
        Run.claim_id == pack.claim_id, Run.status == RunStatus.RUNNING
    )
    return _renewal(pack, session.execute(query).all())


def _renewal(pack: Pack, rows: Any) -> Renewal:
    fences = pack.fences
    held = {row.id: row.fence for row in rows if fences.get(row.id) == row.fence}
    return Renewal(held, frozenset(row.id for row in rows if row.cancel_requested_at is not None))


def work_waits(session: Session) -> bool:
    """Whether any run could be claimed now."""
    return bool(session.scalar(select(exists().where(Run.study_id == Study.id, claimable(now())))))
