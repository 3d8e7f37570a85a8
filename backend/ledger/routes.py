"""Routes of a study's ledger: what every run says of every held-out row, summed up, row by row, and as a table."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from backend.accounts.auth import Who, while_allowed
from backend.accounts.principal import Principal
from backend.comparison import cache as comparisons
from backend.comparison.routes import Baseline
from backend.edge import etag
from backend.edge.answers import Responses
from backend.edge.context import App, Context
from backend.edge.etag import NOT_MODIFIED, IfNoneMatch
from backend.shared.specs import Clock
from backend.shared.store import studies as store

from . import export, said, service, summary
from .rows import Split
from .schema import RowsSaid, StudyLedger

router = APIRouter(prefix="/studies/{study_id}", tags=["ledger"])
CSV: Responses = {
    200: {"description": "CSV with a header line.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}
PARQUET: Responses = {
    200: {
        "description": "One Parquet file, a row group a run.",
        "content": {"application/vnd.apache.parquet": {"schema": {"type": "string", "format": "binary"}}},
    }
}
AtClock = Annotated[Clock, Query(description="last: at the last evaluation. stopped: at the best one.")]
OfSplit = Annotated[Split, Query(description="Which held-out rows.")]


@router.get("/ledger", operation_id="ledger_summary", response_model=StudyLedger, responses=NOT_MODIFIED)
def ledger(
    study_id: str,
    who: Who,
    app: App,
    cache: comparisons.Comparisons,
    request: Request,
    clock: AtClock = "last",
    split: OfSplit = "validation",
    baseline: Baseline = None,
    if_none_match: IfNoneMatch = None,
) -> Response:
    """Accuracy against calibration, agreement of seeds and their ensemble, and the luck of rows, for every arm."""
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        tag = etag.tag(f"{study_id} {study.event_seq}", request)
        if etag.matches(if_none_match, tag):
            return Response(status_code=304, headers=etag.headers(tag))
        compared = cache.get(session, study, comparisons.Query(baseline=baseline))
        found = service.stored(session, study_id)
    arms, lost = service.by_arm(app.settings, found, {arm.id: arm.name for arm in compared.arms})
    told = StudyLedger(
        study_id=study_id,
        clock=clock,
        split=split,
        baseline_arm_id=compared.baseline_arm_id,
        arms=summary.arms(arms, compared.baseline_arm_id, clock, split),
        without=found.without + lost,
        note=_note(found, lost),
    )
    return Response(told.model_dump_json(), media_type="application/json", headers=etag.headers(tag))


@router.get("/ledger/rows", operation_id="ledger_rows")
def rows(
    study_id: str,
    who: Who,
    app: App,
    cache: comparisons.Comparisons,
    clock: AtClock = "last",
    split: OfSplit = "validation",
    limit: Annotated[int, Query(ge=1, le=100, description="Most rows.")] = 20,
    offset: Annotated[int, Query(ge=0, le=10_000_000, description="Rows to pass over.")] = 0,
    run_id: Annotated[
        list[str] | None, Query(max_length=8, description="What these runs say, each by itself, instead of the arms.")
    ] = None,
    order: Annotated[
        said.Order,
        Query(
            description="apart: widest difference of losses first. worst, best: by the loss of the first arm or run."
        ),
    ] = "apart",
) -> RowsSaid:
    """Held-out rows and what every arm's seeds, or these runs, say of them; those first that they differ most on."""
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        names = {arm.id: arm.name for arm in cache.get(session, study, comparisons.Query()).arms}
        found = service.stored(session, study_id)
        service.of_study(session, study_id, run_id or [])
    if run_id:
        arms = service.by_run(app.settings, found, names, run_id)
    else:
        arms, _ = service.by_arm(app.settings, found, names)
    judged = said.judged(arms, clock, split)
    apart, places = said.disputed(judged, order)
    shown = places[offset : offset + limit]
    numbers = {int(judged[0][1][0].row[at]) for at in shown}
    texts = service.texts(app.settings, found.arms, numbers)
    classes = service.label_names(app.settings, found.arms)
    items = [said.of_row(judged, at, float(apart[at]), classes, texts) for at in shown]
    return RowsSaid(items=items, total=len(places))


@router.get("/ledger.csv", operation_id="ledger_csv", response_class=StreamingResponse, responses=CSV)
def ledger_csv(study_id: str, who: Who, app: App) -> StreamingResponse:
    """Every held-out row of every finished run at both clocks: loss, prediction, probability of what is right."""
    found = _stored(app, who, study_id)
    return StreamingResponse(
        while_allowed(export.csv(app.settings, found), app, who),
        media_type="text/csv; charset=utf-8",
        headers=_file(f"{study_id}-rows.csv"),
    )


@router.get("/ledger.parquet", operation_id="ledger_parquet", response_class=StreamingResponse, responses=PARQUET)
def ledger_parquet(study_id: str, who: Who, app: App) -> StreamingResponse:
    """The same rows as Parquet."""
    found = _stored(app, who, study_id)
    return StreamingResponse(
        while_allowed(export.parquet(app.settings, found), app, who),
        media_type="application/vnd.apache.parquet",
        headers=_file(f"{study_id}-rows.parquet"),
    )


def _stored(app: Context, who: Principal, study_id: str) -> service.Stored:
    with app.database.read() as session:
        return service.stored(session, store.get(session, who.workspace_id, study_id).id)


def _file(name: str) -> dict[str, str]:
    return {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}


def _note(found: service.Stored, lost: int) -> str:
    if not found.kept and found.without:
        return "The runs of this study were made before runs kept what they say of each row; train it again for that."
    parts = []
    if found.without:
        parts.append(f"{found.without} finished runs are older than ledgers and are left out here.")
    if lost:
        parts.append(f"The ledgers of {lost} runs are gone from this server, or damaged, and are left out here.")
    return " ".join(parts)
