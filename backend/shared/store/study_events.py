"""The gap-free event stream of a study: numbered in the writing transaction, read back by number."""

from collections.abc import Sequence
from typing import Any, Literal

from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.errors import NotFound
from backend.shared.tables import Study, StudyEvent, now

Kind = Literal["run", "evaluation", "study"]
NewEvent = tuple[Kind, str | None, dict[str, Any]]  # kind, run id, data


def append(session: Write, study_id: str, events: Sequence[NewEvent]) -> int:
    """Add events to a study's stream in this transaction; return the last number given out.

    Taking the numbers locks the study's row until the commit, so that numbers become visible in their order: a reader
    that has seen n will never later find a smaller one. Call it late in a transaction, and for several studies in the
    order of their ids. Raises NotFound.
    """
    if not events:
        raise ValueError("no events to append")
    at = now()
    taken = update(Study).where(Study.id == study_id).values(event_seq=Study.event_seq + len(events), updated_at=at)
    last = session.execute(taken.returning(Study.event_seq).execution_options(synchronize_session=False)).scalar()
    if last is None:
        raise NotFound(f"there is no study '{study_id}'")
    first = last - len(events) + 1
    rows = [
        {"study_id": study_id, "seq": first + i, "kind": kind, "run_id": run_id, "data": data, "at": at}
        for i, (kind, run_id, data) in enumerate(events)
    ]
    session.execute(insert(StudyEvent), rows)
    return int(last)


def after(session: Session, study_id: str, seq: int, limit: int = 500, run_id: str | None = None) -> list[StudyEvent]:
    """Events of a study with numbers above `seq`, in order; of one run where `run_id` is given."""
    query = select(StudyEvent).where(StudyEvent.study_id == study_id, StudyEvent.seq > seq)
    if run_id is not None:
        query = query.where(StudyEvent.run_id == run_id)
    return list(session.scalars(query.order_by(StudyEvent.seq).limit(limit)))


def last_seq(session: Session, study_id: str) -> int | None:
    """The last number given out in a study's stream; None where there is no such study."""
    return session.scalar(select(Study.event_seq).where(Study.id == study_id))
