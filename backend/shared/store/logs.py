"""The log of a run, read by line number."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.shared.tables import RunLog


def after(session: Session, run_id: str, seq: int, limit: int) -> list[RunLog]:
    """Lines with numbers above `seq`, in order."""
    query = select(RunLog).where(RunLog.run_id == run_id, RunLog.seq > seq)
    return list(session.scalars(query.order_by(RunLog.seq).limit(limit)))
