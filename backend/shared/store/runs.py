"""Runs read one by one and in pages; who may write to a running one is decided in `store.queue`."""

from collections.abc import Sequence

from sqlalchemy import func, select, tuple_
from sqlalchemy.orm import Session, defer

from backend.shared.errors import NotFound
from backend.shared.run_status import RunStatus
from backend.shared.store.queue import claimable
from backend.shared.store.tallies import shown_status
from backend.shared.tables import Arm, Artifact, Attempt, Run, RunLog, Study, now


def get(session: Session, workspace_id: str, run_id: str) -> tuple[Run, Arm]:
    """A run of this workspace with its arm; NotFound for one of another, too."""
    found = session.execute(select(Run, Arm).join(Arm, Arm.id == Run.arm_id).where(Run.id == run_id)).first()
    if found is None or found[0].workspace_id != workspace_id:
        raise NotFound(f"there is no run '{run_id[:100]}'")
    return found[0], found[1]


def page(
    session: Session,
    study_id: str,
    *,
    statuses: Sequence[RunStatus] | None,
    arm_ids: Sequence[str] | None,
    seed: int | None,
    after: tuple[int, str] | None,
    limit: int,
) -> list[tuple[Run, Arm]]:
    """Runs of a study by position, of the shown statuses, beginning after the key `after` = (position, id)."""
    query = select(Run, Arm).join(Arm, Arm.id == Run.arm_id).where(Run.study_id == study_id)
    if statuses:
        query = query.where(shown_status(session).in_(statuses))
    if arm_ids:
        query = query.where(Run.arm_id.in_(arm_ids))
    if seed is not None:
        query = query.where(Run.seed == seed)
    if after is not None:
        query = query.where(tuple_(Run.position, Run.id) > tuple_(*after))
    rows = session.execute(query.order_by(Run.position, Run.id).limit(limit))
    return [(run, arm) for run, arm in rows]


def attempts(session: Session, run_id: str) -> list[Attempt]:
    """Every claim of a run, in order."""
    return list(session.scalars(select(Attempt).where(Attempt.run_id == run_id).order_by(Attempt.fence)))


def of_study(session: Session, study_id: str) -> list[Run]:
    """All runs of a study by position, without their records and examples, which are most of what a run says."""
    query = select(Run).where(Run.study_id == study_id).order_by(Run.position)
    return list(session.scalars(query.options(defer(Run.record, raiseload=True), defer(Run.examples, raiseload=True))))


def queue_positions(session: Session, studies: Sequence[Study]) -> dict[str, int]:
    """Queued runs of other studies ahead of each study's next run, by its id, in two queries however many are asked of.

    A study that has none queued, or is paused, is left out.
    """
    ids = [study.id for study in studies if not study.paused]
    queued = set(
        session.scalars(select(Run.study_id).where(Run.study_id.in_(ids), Run.status == RunStatus.QUEUED).distinct())
        if ids
        else ()
    )
    if not queued:
        return {}
    waiting = session.execute(
        select(Study.id, Study.created_at, Run.priority, func.count())
        .select_from(Run)
        .join(Study, Study.id == Run.study_id)
        .where(claimable(now()))
        .group_by(Study.id, Study.created_at, Run.priority)
    ).all()

    def ahead(study: Study) -> int:
        here = (-study.priority, study.created_at, study.id)
        return sum(n for id_, at, priority, n in waiting if id_ != study.id and (-priority, at, id_) < here)

    return {study.id: ahead(study) for study in studies if study.id in queued}


def running_by_worker(session: Session, workspace_id: str) -> dict[str, list[str]]:
    """Ids of the running runs of each worker, by position."""
    query = (
        select(Run.worker_id, Run.id)
        .where(Run.workspace_id == workspace_id, Run.status == RunStatus.RUNNING)
        .order_by(Run.position)
    )
    found: dict[str, list[str]] = {}
    for worker_id, run_id in session.execute(query):
        if worker_id is not None:
            found.setdefault(worker_id, []).append(run_id)
    return found


def last_position(session: Session, study_id: str) -> int:
    """The highest position of a study's runs; -1 where it has none."""
    last = session.scalar(select(func.max(Run.position)).where(Run.study_id == study_id))
    return -1 if last is None else last


def queued_count(session: Session, workspace_id: str) -> int:
    """Runs that wait."""
    query = select(func.count()).where(Run.workspace_id == workspace_id, Run.status == RunStatus.QUEUED)
    return session.scalar(query) or 0


def log_after(session: Session, run_id: str, seq: int, limit: int) -> list[RunLog]:
    """Lines with numbers above `seq`, in order."""
    query = select(RunLog).where(RunLog.run_id == run_id, RunLog.seq > seq)
    return list(session.scalars(query.order_by(RunLog.seq).limit(limit)))


def artifact(session: Session, workspace_id: str, artifact_id: str) -> Artifact:
    """An artifact of this workspace; NotFound for one of another, too."""
    query = select(Artifact).join(Run, Run.id == Artifact.run_id)
    found = session.scalar(query.where(Artifact.id == artifact_id, Run.workspace_id == workspace_id))
    if found is None:
        raise NotFound(f"there is no artifact '{artifact_id[:100]}'")
    return found


def artifacts_of(session: Session, run_id: str) -> list[Artifact]:
    """Artifacts of a run, the oldest first."""
    return list(session.scalars(select(Artifact).where(Artifact.run_id == run_id).order_by(Artifact.kind, Artifact.id)))
