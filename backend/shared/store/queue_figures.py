"""The queue in figures, for whoever watches: how much waits and for how long, how attempts ended, how fast it goes."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Subquery, case, func, select
from sqlalchemy.orm import Session

from backend.shared.run_status import RunStatus
from backend.shared.store.queue import claimable
from backend.shared.tables import Attempt, Run, Study, StudyEvent, now


@dataclass(frozen=True)
class QueueFigures:
    """claimable: runs a worker could take now.  oldest_s: seconds the longest waiting of them has waited (0: none).

    renewals: leases set or renewed so far.  attempts: by why they ended.  steps_per_second: of the running runs, each
    over all of its training so far.
    """

    claimable: int
    oldest_s: float
    renewals: int
    attempts: dict[str, int]
    steps_per_second: float


def figures(session: Session) -> QueueFigures:
    """Count over all runs."""
    at = now()
    due = select(Run.id, Run.attempt, Run.created_at).join(Study, Study.id == Run.study_id).where(claimable(at))
    waiting = due.subquery()
    count, created = session.execute(
        select(func.count(), func.min(case((waiting.c.attempt == 0, waiting.c.created_at)))).select_from(waiting)
    ).one()
    since = min((moment for moment in (created, _queued_again(session, waiting)) if moment is not None), default=at)
    running = select(func.sum(Run.step / Run.seconds)).where(Run.status == RunStatus.RUNNING, Run.seconds > 0)
    attempts = select(Attempt.end, func.count()).where(Attempt.end.is_not(None)).group_by(Attempt.end)
    return QueueFigures(
        claimable=count,
        oldest_s=max(0.0, (at - since).total_seconds()),
        renewals=int(session.scalar(select(func.sum(Run.heartbeat_seq))) or 0),
        attempts={str(row[0]): row[1] for row in session.execute(attempts)},
        steps_per_second=float(session.scalar(running) or 0.0),
    )


def _queued_again(session: Session, waiting: Subquery) -> datetime | None:
    """When the first of those that were tried before was queued again: the newest event of a waiting run says so."""
    newest = (
        select(func.max(StudyEvent.at).label("at"))
        .join(waiting, waiting.c.id == StudyEvent.run_id)
        .where(waiting.c.attempt > 0)
        .group_by(StudyEvent.run_id)
        .subquery()
    )
    found: datetime | None = session.scalar(select(func.min(newest.c.at)))
    return found
