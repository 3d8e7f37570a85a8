"""Routes of a study's comparison and its figures: computed once per state of the study, answered with an ETag."""

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from backend.api import etag
from backend.api.auth import Who
from backend.api.context import App
from backend.api.etag import NOT_MODIFIED, IfNoneMatch
from backend.api.schemas.common import JsonObject
from backend.api.schemas.figures import Figure
from backend.charts import FIGURES, ChartOptions
from backend.services import comparisons
from backend.services.comparison_schema import Band, Comparison, SeriesName, XAxis
from backend.shared.errors import NotFound
from backend.shared.store import studies as store

router = APIRouter(prefix="/studies/{study_id}", tags=["comparison"])
Baseline = Annotated[
    str | None, Query(max_length=200, description="Id, key, label or method of an arm; the study's own where unset.")
]
Metric = Annotated[SeriesName, Query(description="What arms are ranked and compared by.")]
Arms = Annotated[list[str] | None, Query(max_length=500, description="Ids of the arms to draw; all where unset.")]


@router.get("/comparison", operation_id="studies_comparison", response_model=Comparison, responses=NOT_MODIFIED)
def comparison(
    study_id: str,
    who: Who,
    app: App,
    request: Request,
    baseline: Baseline = None,
    x: XAxis = "step",
    band: Band = "t",
    metric: Metric = "validation/loss",
    curves: Annotated[bool, Query(description="With every arm's curve; without, a hundredth of the size.")] = True,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Every arm's means, intervals, onset and differences to the baseline, on full data."""
    wanted = comparisons.Query(baseline=baseline, x=x, band=band, metric=metric)
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        tag = etag.tag(f"{study_id} {study.event_seq}", request)
        if etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        found = app.comparisons.get(session, study, wanted)
    body = (found if curves else found.without_curves()).model_dump_json()
    return Response(body, media_type="application/json", headers=etag.headers(tag))


@router.get("/figures/{name}", operation_id="studies_figure", response_model=Figure, responses=NOT_MODIFIED)
def figure(
    study_id: str,
    name: str,
    who: Who,
    app: App,
    request: Request,
    baseline: Baseline = None,
    x: XAxis = "step",
    band: Band = "t",
    metric: Metric = "validation/loss",
    arm: Arms = None,
    log_y: bool = False,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """One chart of the comparison as a Plotly figure."""
    draw = named(name)
    wanted = comparisons.Query(baseline=baseline, x=x, band=band, metric=metric)
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        tag = etag.tag(f"{study_id} {study.event_seq}", request)
        if etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        found = app.comparisons.get(session, study, wanted)
    drawn = draw(found, ChartOptions(arms=None if arm is None else frozenset(arm), log_y=log_y))
    return JSONResponse(drawn, headers=etag.headers(tag))


def named(name: str) -> Callable[[Comparison, ChartOptions], JsonObject]:
    """The function that draws this figure; NotFound names those there are."""
    if name not in FIGURES:
        raise NotFound(f"there is no figure '{name[:100]}'; there is {', '.join(FIGURES)}")
    return FIGURES[name]
