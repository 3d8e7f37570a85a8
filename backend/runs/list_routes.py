"""The route of a study's runs."""

from typing import Annotated

from fastapi import APIRouter, Query

from backend.accounts.auth import Who
from backend.edge.answers import Page
from backend.edge.context import App
from backend.edge.paging import Cursor, Limit, encode, number_and_id
from backend.shared.run_status import RunStatus
from backend.shared.store import runs as run_store
from backend.shared.store import studies as store
from backend.shared.store.queue import clock

from . import views
from .schemas import RunSummary

router = APIRouter(prefix="/studies", tags=["studies"])


@router.get("/{study_id}/runs", operation_id="studies_runs")
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
        store.get(session, who.workspace_id, study_id)
        found = run_store.page(
            session, study_id, statuses=run_status, arm_ids=arm_id, seed=seed, after=after, limit=limit + 1
        )
        at = clock(session)
    rows, more = found[:limit], len(found) > limit
    last = encode(rows[-1][0].position, rows[-1][0].id) if more else None
    return Page(items=[views.run_summary(run, arm, at) for run, arm in rows], next_cursor=last)
