"""What people ask of the queue: cancel, retry, priority. Workers see it at their next look."""

from typing import Any

from sqlalchemy import delete, func, select, update

from backend.shared.database import Write
from backend.shared.errors import Conflict, NotFound
from backend.shared.run_status import TERMINAL, FailureCode, RunStatus
from backend.shared.store import study_events
from backend.shared.store.queue import NO_SYNC
from backend.shared.tables import AT_ONCE, EvaluationRow, Run, RunLog, Study, TrainLossBlock, now

# After these a checkpoint is worth going on from; after any other failure a retry starts afresh.
_RESUMABLE = {None, FailureCode.WORKER_LOST, FailureCode.DISK_FULL, FailureCode.TIME_LIMIT}


def cancel_run(session: Write, run_id: str) -> RunStatus:
    """Cancel a run: at once where it waits, at the next step where it runs (then still `running`).

    Raises NotFound, and Conflict where the run has ended.
    """
    run = _locked(session, run_id)
    if run.status in TERMINAL:
        raise Conflict(f"run '{run_id}' has {_ended(run.status)}; only a queued or running run can be cancelled")
    _cancel(session, [run])
    return RunStatus(run.status)


def cancel_study(session: Write, study_id: str) -> int:
    """Cancel all runs of a study that have not ended; return how many those were."""
    query = select(Run).where(Run.study_id == study_id, Run.status.in_([RunStatus.QUEUED, RunStatus.RUNNING]))
    runs = list(session.scalars(query.order_by(Run.id).with_for_update()))
    _cancel(session, runs)
    return len(runs)


def retry_run(session: Write, run_id: str) -> None:
    """Queue a failed or cancelled run again. Raises NotFound, and Conflict in any other status."""
    run = _locked(session, run_id)
    if run.status not in (RunStatus.FAILED, RunStatus.CANCELLED):
        raise Conflict(f"run '{run_id}' is {run.status}; only a failed or cancelled run can be retried")
    _retry(session, [run])


def retry_failed(session: Write, study_id: str) -> int:
    """Queue all failed runs of a study again; return how many."""
    query = select(Run).where(Run.study_id == study_id, Run.status == RunStatus.FAILED)
    runs = list(session.scalars(query.order_by(Run.id).with_for_update()))
    _retry(session, runs)
    return len(runs)


def set_priority(session: Write, study_id: str, priority: int) -> None:
    """Give a study a priority (higher is claimed first); its waiting runs take it over. Raises NotFound."""
    changed = update(Study).where(Study.id == study_id).values(priority=priority).returning(Study.id)
    if session.scalar(changed.execution_options(**NO_SYNC)) is None:
        raise NotFound(f"there is no study '{study_id}'")
    waiting = update(Run).where(Run.study_id == study_id, Run.status == RunStatus.QUEUED)
    session.execute(waiting.values(priority=priority).execution_options(**NO_SYNC))
    study_events.append(session, study_id, [("study", None, {"priority": priority})])


def move_to_front(session: Write, study_id: str) -> int:
    """Put a study before all others that wait; return its new priority."""
    highest = session.scalar(
        select(func.max(Run.priority)).where(Run.status == RunStatus.QUEUED, Run.study_id != study_id)
    )
    priority = 0 if highest is None else highest + 1
    set_priority(session, study_id, priority)
    return priority


def _locked(session: Write, run_id: str) -> Run:
    run = session.scalars(select(Run).where(Run.id == run_id).with_for_update()).first()
    if run is None:
        raise NotFound(f"there is no run '{run_id}'")
    return run


def _ended(status: str) -> str:
    return "been cancelled" if status == RunStatus.CANCELLED else status


def _cancel(session: Write, runs: list[Run]) -> None:
    at = now()
    news: dict[str, list[study_events.NewEvent]] = {}
    for run in runs:
        data: dict[str, Any] = {"status": run.status, "cancel_requested": True}
        if run.status == RunStatus.QUEUED:
            run.status, run.message, run.finished_at = RunStatus.CANCELLED, "Cancelled before it was started.", at
            data = {"status": run.status, "message": run.message}
        elif run.cancel_requested_at is not None:
            continue
        run.cancel_requested_at = at
        news.setdefault(run.study_id, []).append(("run", run.id, data))
    _tell(session, news)


def _retry(session: Write, runs: list[Run]) -> None:
    news: dict[str, list[study_events.NewEvent]] = {}
    for run in runs:
        if run.failure_code not in _RESUMABLE or run.checkpoint_key is None:
            run.checkpoint_key = run.checkpoint_step = None
            run.step = 0
            for table in (EvaluationRow, TrainLossBlock, RunLog):
                session.execute(delete(table).where(table.run_id == run.id))
        run.status, run.failure_code, run.message, run.final = RunStatus.QUEUED, None, None, None
        run.cancel_requested_at = run.finished_at = None
        run.lost_attempts = 0
        run.not_before = AT_ONCE
        news.setdefault(run.study_id, []).append(("run", run.id, {"status": run.status, "step": run.step}))
    _tell(session, news)


def _tell(session: Write, news: dict[str, list[study_events.NewEvent]]) -> None:
    session.flush()
    for study_id in sorted(news):
        study_events.append(session, study_id, news[study_id])
