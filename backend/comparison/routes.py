"""Routes of a study's comparison and its figures: computed once per state of the study, answered with an ETag."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from backend.accounts.auth import Who
from backend.edge import etag
from backend.edge.context import App
from backend.edge.etag import NOT_MODIFIED, IfNoneMatch
from backend.shared.store import studies as store

from . import cache as comparisons
from . import explored
from .plan import looked
from .schema import Band, Clock, Comparison, SeriesName, XAxis

router = APIRouter(prefix="/studies/{study_id}", tags=["comparison"])
Baseline = Annotated[
    str | None, Query(max_length=200, description="Id, key, label or method of an arm; the study's own where unset.")
]
Metric = Annotated[SeriesName, Query(description="What arms are ranked and compared by.")]
AtClock = Annotated[
    Clock,
    Query(description="When runs are judged for the ranking: at their last evaluation, or stopped at their best one."),
]
Arms = Annotated[list[str] | None, Query(max_length=500, description="Ids of the arms to draw; all where unset.")]


@router.get("/comparison", operation_id="studies_comparison", response_model=Comparison, responses=NOT_MODIFIED)
def comparison(
    study_id: str,
    who: Who,
    app: App,
    cache: comparisons.Comparisons,
    request: Request,
    baseline: Baseline = None,
    x: XAxis = "step",
    band: Band = "t",
    metric: Metric = "validation/loss",
    clock: AtClock = "last",
    curves: Annotated[bool, Query(description="With every arm's curve; without, a hundredth of the size.")] = True,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Every arm's means, intervals, overfitting and differences to the baseline, on full data.

    A view that the study's plan does not judge (another baseline, another quantity) is counted once there are results.
    """
    wanted = comparisons.Query(baseline=baseline, x=x, band=band, metric=metric, clock=clock)
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        tag = etag.tag(f"{study_id} {study.event_seq}", request)
        if etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        found = cache.get(session, study, wanted)
        view = looked.beyond(found)
        known = () if view is None else explored.views(session, study_id)
    if view is not None and explored.keep(app.database, study_id, view, known):
        with app.database.read() as session:  # which says that it was looked at
            study = store.get(session, who.workspace_id, study_id)
            tag = etag.tag(f"{study_id} {study.event_seq}", request)
            found = cache.get(session, study, wanted)
    body = (found if curves else found.without_curves()).model_dump_json()
    return Response(body, media_type="application/json", headers=etag.headers(tag))
