"""The route of the workers."""

from fastapi import APIRouter

from backend.accounts.auth import Who
from backend.edge.context import App
from backend.shared.store import runs as run_store
from backend.shared.store import workers as store

from .schemas import WorkerList, WorkerOut

router = APIRouter()


@router.get("/workers", operation_id="workers_list", tags=["workers"])
def workers(who: Who, app: App) -> WorkerList:
    """Workers that are alive or stopped within the last hour, and how many runs wait for one."""
    with app.database.read() as session:
        rows = store.recent(session)
        busy = run_store.running_by_worker(session, who.workspace_id)
        queued = run_store.queued_count(session, who.workspace_id)
    lease = app.settings.lease_s
    return WorkerList(items=[WorkerOut.of(row, busy.get(row.id, []), lease) for row in rows], queued_runs=queued)
