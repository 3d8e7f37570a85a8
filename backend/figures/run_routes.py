"""Routes of a run's figures."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.accounts.auth import Who
from backend.charts import RUN_FIGURES
from backend.edge import etag
from backend.edge.answers import Figure
from backend.edge.context import App
from backend.edge.etag import NOT_MODIFIED, IfNoneMatch
from backend.shared.errors import NotFound
from backend.shared.store import runs as store
from backend.shared.store import studies as study_store

from .run_curves import run_curves

router = APIRouter(prefix="/runs", tags=["runs"])


@router.get("/{run_id}/figures/{name}", operation_id="runs_figure", response_model=Figure, responses=NOT_MODIFIED)
def figure(run_id: str, name: str, who: Who, app: App, request: Request, if_none_match: IfNoneMatch = None) -> Response:
    """One chart of the run as a Plotly figure; without traces where there is nothing to draw."""
    if name not in RUN_FIGURES:
        raise NotFound(f"a run has no figure '{name[:100]}'; there is {', '.join(RUN_FIGURES)}")
    with app.database.read() as session:
        run, arm = store.get(session, who.workspace_id, run_id)
        seq = study_store.get(session, who.workspace_id, run.study_id).event_seq
        tag = etag.tag(f"{run_id} {seq} {run.step} {run.status}", request)
        if etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        curves = run_curves(session, run, arm, seq)
    return JSONResponse(RUN_FIGURES[name](curves), headers=etag.headers(tag))
