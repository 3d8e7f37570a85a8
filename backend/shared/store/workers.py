"""The workers: who they are, that they are alive, and whether they are to stop.

A worker's row stands for the process that supervises training; if that process dies and another takes its place, the
other registers anew.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.ids import new_id
from backend.shared.process import ProcessId
from backend.shared.store.queue import NO_SYNC, clock
from backend.shared.tables import Worker, now

STOPPED_KEPT = 200


@dataclass(frozen=True)
class Standing:
    """What a worker learns from its heartbeat; `known` is False where its row was given up: register anew."""

    known: bool
    draining: bool


def register(session: Write, process: ProcessId, device: str, version: str) -> str:
    """Make a row for this process; return the worker's id. Rows of workers that stopped long ago go meanwhile."""
    _forget_old(session)
    worker_id = new_id("worker")
    session.add(
        Worker(
            id=worker_id,
            host=process.host,
            pid=process.pid,
            process_started=process.started,
            device=device,
            version=version,
            heartbeat_at=clock(session),
        )
    )
    return worker_id


def _forget_old(session: Write) -> None:
    """Keep so many of the stopped."""
    stopped = select(Worker.id).where(Worker.stopped_at.is_not(None))
    kept = set(session.scalars(stopped.order_by(Worker.id.desc()).limit(STOPPED_KEPT)))
    if len(kept) >= STOPPED_KEPT:
        gone = delete(Worker).where(Worker.stopped_at.is_not(None), Worker.id.not_in(kept))
        session.execute(gone.execution_options(**NO_SYNC))


def heartbeat(session: Write, worker_id: str, device: str | None = None) -> Standing:
    """Say that a worker is alive; `device` where it has become known."""
    values = {"heartbeat_seq": Worker.heartbeat_seq + 1, "heartbeat_at": clock(session)}
    if device is not None:
        values["device"] = device
    beat = update(Worker).where(Worker.id == worker_id, Worker.stopped_at.is_(None)).values(**values)
    draining = session.scalar(beat.returning(Worker.draining).execution_options(**NO_SYNC))
    return Standing(known=draining is not None, draining=bool(draining))


def is_draining(session: Session, worker_id: str) -> bool:
    """Whether a worker is to give its runs back and stop."""
    return bool(session.scalar(select(Worker.draining).where(Worker.id == worker_id)))


def drain(session: Write, host: str, pids: Collection[int]) -> None:
    """Ask the workers with these process ids on this host to give their runs back and stop."""
    found = update(Worker).where(Worker.host == host, Worker.pid.in_(pids), Worker.stopped_at.is_(None))
    session.execute(found.values(draining=True).execution_options(**NO_SYNC))


def release(session: Write, worker_id: str, tokens_per_second: float | None = None) -> None:
    """The worker has ended its pack and is idle."""
    values: dict[str, object] = {"claim_id": None}
    if tokens_per_second is not None:
        values["tokens_per_second"] = tokens_per_second
    session.execute(update(Worker).where(Worker.id == worker_id).values(**values).execution_options(**NO_SYNC))


def stop(session: Write, worker_id: str, heartbeat_seq: int | None = None) -> None:
    """The worker is gone; with `heartbeat_seq` only if it has not been heard since that heartbeat."""
    gone = update(Worker).where(Worker.id == worker_id, Worker.stopped_at.is_(None))
    if heartbeat_seq is not None:
        gone = gone.where(Worker.heartbeat_seq == heartbeat_seq)
    session.execute(gone.values(stopped_at=now(), claim_id=None).execution_options(**NO_SYNC))


def running(session: Session) -> list[Worker]:
    """Workers that have not stopped, oldest first."""
    return list(session.scalars(select(Worker).where(Worker.stopped_at.is_(None)).order_by(Worker.id)))


STOPPED_SHOWN = timedelta(hours=1)


def recent(session: Session) -> list[Worker]:
    """Workers heard of within the last hour, the oldest first."""
    since = now() - STOPPED_SHOWN
    query = select(Worker).where(Worker.heartbeat_at >= since)
    return list(session.scalars(query.order_by(Worker.stopped_at.is_not(None), Worker.id)))


def is_alive(worker: Worker, lease_s: float, at: datetime) -> bool:
    """Whether a worker has not stopped and was heard of within a lease."""
    return worker.stopped_at is None and at - worker.heartbeat_at <= timedelta(seconds=lease_s)


def devices(session: Session, lease_s: float) -> list[str]:
    """The device of each worker alive, the oldest worker first."""
    at = now()
    return [worker.device for worker in recent(session) if is_alive(worker, lease_s, at)]
