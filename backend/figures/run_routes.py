"""Routes of a run's figures."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from backend.accounts.auth import Who
from backend.charts import RUN_FIGURES, run_figures
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
def figure(
    run_id: str,
    name: str,
    who: Who,
    app: App,
    request: Request,
    beside: Annotated[
        list[str] | None, Query(max_length=7, description="Ids of further runs that `validation` draws with it.")
    ] = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One chart of the run as a Plotly figure; without traces where there is nothing to draw."""
    if name not in RUN_FIGURES:
        raise NotFound(f"a run has no figure '{name[:100]}'; there is {', '.join(RUN_FIGURES)}")
    with app.database.read() as session:
        run, arm = store.get(session, who.workspace_id, run_id)
        seq = study_store.get(session, who.workspace_id, run.study_id).event_seq
        tag = etag.tag(f"{run_id} {seq} {run.step} {run.status}", request)
        if not beside and etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        curves = run_curves(session, run, arm, seq)
        if name == "validation" and beside:
            found = [(run, arm), *(store.get(session, who.workspace_id, one) for one in dict.fromkeys(beside))]
            drawn = [(f"{a.label}, seed {r.seed}", run_curves(session, r, a, seq)) for r, a in found]
            return JSONResponse(run_figures.validation(curves, drawn), headers={"Cache-Control": "no-store"})
    return JSONResponse(RUN_FIGURES[name](curves), headers=etag.headers(tag))
