"""Routes of runs, of a study's and of one: list, read, measurements, figures, events, log, cancel, retry."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.accounts.auth import Who
from backend.edge.answers import Page
from backend.edge.context import App
from backend.edge.paging import Cursor, Limit, encode, number, number_and_id
from backend.queue.doorbell import Bell
from backend.shared.run_status import RunStatus
from backend.shared.store import metrics as metric_store
from backend.shared.store import runs as store
from backend.shared.store import studies as study_store
from backend.shared.store import study_events as event_store
from backend.shared.store.queue import clock
from backend.shared.team_tables import User
from backend.studies.schemas import EventOut

from . import metric_columns, service, views
from .schemas import LogLine, RunDetail, RunExamples, RunMetrics, RunSummary

router = APIRouter(prefix="/runs", tags=["runs"])
of_study = APIRouter(prefix="/studies", tags=["studies"])
Step = Annotated[int | None, Query(ge=0, le=2**53)]


@router.get("/{run_id}", operation_id="runs_get")
def get(run_id: str, who: Who, app: App) -> RunDetail:
    """A run with its attempts and why each of them ended."""
    with app.database.read() as session:
        run, arm = store.get(session, who.workspace_id, run_id)
        author = session.get(User, run.created_by)
        attempts = store.attempts(session, run_id)
        return views.run_detail(run, arm, attempts, clock(session), author.name if author else None)


@router.get("/{run_id}/metrics", operation_id="runs_metrics")
def metrics(
    run_id: str,
    who: Who,
    app: App,
    names: Annotated[list[str] | None, Query(max_length=50, description="Metrics to answer; all where unset.")] = None,
    first_step: Step = None,
    last_step: Step = None,
    max_points: Annotated[
        int, Query(ge=10, le=100_000, description="Thin each list to about this many points.")
    ] = 2000,
    full: Annotated[bool, Query(description="Every point, however many.")] = False,
) -> RunMetrics:
    """The measurements of a run as columns; thinned lists keep the smallest and largest point of each bucket."""
    with app.database.read() as session:
        store.get(session, who.workspace_id, run_id)
        evaluations = metric_store.evaluations(session, run_id, first_step, last_step)
        steps, losses = metric_store.train_losses(session, run_id, first_step, last_step)
    points = None if full else max_points
    return metric_columns.columns(run_id, evaluations, steps, losses, names=names, points=points)


@router.get("/{run_id}/examples", operation_id="runs_examples")
def examples(run_id: str, who: Who, app: App) -> RunExamples:
    """Validation examples with the least and the greatest loss, and generated texts; of the run's last step."""
    with app.database.read() as session:
        run, _ = store.get(session, who.workspace_id, run_id)
        return RunExamples.model_validate(run.examples or {"best": [], "worst": [], "generated": []})


@router.get("/{run_id}/events", operation_id="runs_events")
def events(run_id: str, who: Who, app: App, limit: Limit = 50, cursor: Cursor = None) -> Page[EventOut]:
    """Events of the study's stream that speak of this run, in order."""
    after = number(cursor) if cursor else 0
    with app.database.read() as session:
        run, _ = store.get(session, who.workspace_id, run_id)
        found = event_store.after(session, run.study_id, after, limit + 1, run_id=run_id)
    rows = [EventOut.model_validate(row) for row in found[:limit]]
    return Page(items=rows, next_cursor=encode(rows[-1].seq) if len(found) > limit else None)


@router.get("/{run_id}/logs", operation_id="runs_logs")
def logs(run_id: str, who: Who, app: App, limit: Limit = 200, cursor: Cursor = None) -> Page[LogLine]:
    """The run's log, line by line."""
    after = number(cursor) if cursor else -1
    with app.database.read() as session:
        store.get(session, who.workspace_id, run_id)
        found = store.log_after(session, run_id, after, limit + 1)
    rows = [LogLine.model_validate(row) for row in found[:limit]]
    return Page(items=rows, next_cursor=encode(rows[-1].seq) if len(found) > limit else None)


@router.post("/{run_id}/cancel", operation_id="runs_cancel")
def cancel(run_id: str, who: Who, app: App) -> RunDetail:
    """Cancel a run: at once when it is queued, at its next step when it is running; 409 when it has ended."""
    with app.database.write() as session:
        service.cancel(session, who, run_id)
    return get(run_id, who, app)


@router.post("/{run_id}/retry", operation_id="runs_retry")
def retry(run_id: str, who: Who, app: App, bell: Bell) -> RunDetail:
    """Queue a failed or cancelled run again; 409 in any other status."""
    with app.database.write() as session:
        service.retry(session, who, run_id)
    bell.ring()
    return get(run_id, who, app)


@of_study.get("/{study_id}/runs", operation_id="studies_runs")
def list_runs(
    study_id: str,
    who: Who,
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    run_status: Annotated[list[RunStatus] | None, Query(alias="status", max_length=5)] = None,
    arm_id: Annotated[list[str] | None, Query(max_length=500)] = None,
    seed: Annotated[int | None, Query(ge=0, le=63)] = None,
) -> Page[RunSummary]:
    """Runs of a study in the order they are trained in: seed by seed, arm by arm."""
    after = number_and_id(cursor) if cursor else None
    with app.database.read() as session:
        study_store.get(session, who.workspace_id, study_id)
        found = store.page(
            session, study_id, statuses=run_status, arm_ids=arm_id, seed=seed, after=after, limit=limit + 1
        )
        at = clock(session)
    rows, more = found[:limit], len(found) > limit
    last = encode(rows[-1][0].position, rows[-1][0].id) if more else None
    return Page(items=[views.run_summary(run, arm, at) for run, arm in rows], next_cursor=last)
