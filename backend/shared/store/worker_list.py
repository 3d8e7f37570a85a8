"""Workers as a person sees them: those that run, and those that stopped a short while ago."""

from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.tables import Worker, now

STOPPED_SHOWN = timedelta(hours=1)


def recent(session: Session) -> list[Worker]:
    """Workers heard of within the last hour, the oldest first."""
    since = now() - STOPPED_SHOWN
    query = select(Worker).where(Worker.heartbeat_at >= since)
    return list(session.scalars(query.order_by(Worker.stopped_at.is_not(None), Worker.id)))


def is_alive(worker: Worker, lease_s: float, at: datetime) -> bool:
    """Whether a worker has not stopped and was heard of within a lease."""
    return worker.stopped_at is None and at - worker.heartbeat_at <= timedelta(seconds=lease_s)


def paces(session: Session, lease_s: float) -> tuple[list[float], int]:
    """Measured training tokens a second of the workers alive (else the last one ever measured), and how many live."""
    at = now()
    alive = [worker for worker in recent(session) if is_alive(worker, lease_s, at)]
    measured = [worker.tokens_per_second for worker in alive if worker.tokens_per_second]
    if not measured:
        query = select(Worker.tokens_per_second).where(Worker.tokens_per_second > 0)
        last = session.scalar(query.order_by(Worker.heartbeat_at.desc()).limit(1))
        measured = [last] if last else []
    return measured, len(alive)
