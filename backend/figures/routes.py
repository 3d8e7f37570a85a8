"""Routes of a study's figures."""

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from backend.accounts.auth import Who
from backend.charts import ChartOptions, ColourBy, PanelBy
from backend.charts.named import named
from backend.comparison import cache as comparisons
from backend.comparison.routes import Arms, AtClock, Baseline, Metric
from backend.comparison.schema import Band, XAxis
from backend.edge import etag
from backend.edge.answers import Figure
from backend.edge.context import App
from backend.edge.etag import NOT_MODIFIED, IfNoneMatch
from backend.shared.store import studies as store

router = APIRouter(prefix="/studies/{study_id}", tags=["comparison"])


@router.get("/figures/{name}", operation_id="studies_figure", response_model=Figure, responses=NOT_MODIFIED)
def figure(
    study_id: str,
    name: str,
    who: Who,
    app: App,
    cache: comparisons.Comparisons,
    request: Request,
    baseline: Baseline = None,
    x: XAxis = "step",
    band: Band = "t",
    metric: Metric = "validation/loss",
    clock: AtClock = "last",
    arm: Arms = None,
    log_y: bool = False,
    panel: PanelBy = "auto",
    colour: ColourBy = "method",
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One chart of the comparison as a Plotly figure."""
    draw = named(name)
    wanted = comparisons.Query(baseline=baseline, x=x, band=band, metric=metric, clock=clock)
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        tag = etag.tag(f"{study_id} {study.event_seq}", request)
        if etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        found = cache.get(session, study, wanted)
    chosen = ChartOptions(
        arms=None if arm is None else frozenset(arm), log_y=log_y, panel=panel, colour=colour, offers=True
    )
    return JSONResponse(draw(found, chosen), headers=etag.headers(tag))
