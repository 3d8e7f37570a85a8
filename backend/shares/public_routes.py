"""What a share link shows, to whoever has it: a study's summary, comparison, figures and when they change.

A projection made for strangers: no dataset rows, logs, paths, sentences of failures, or names of people unless chosen.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

from fastapi import APIRouter, Request
from fastapi.responses import JSONResponse, Response, StreamingResponse
from fastapi.sse import format_sse_event
from sqlalchemy.orm import Session

from backend.charts import ChartOptions, ColourBy, PanelBy
from backend.charts.named import named
from backend.comparison import cache as comparisons
from backend.comparison import export
from backend.comparison import snapshot as frozen
from backend.comparison.export_routes import CSV
from backend.comparison.routes import Arms, AtClock, Baseline, Metric
from backend.comparison.schema import Band, Comparison, XAxis
from backend.comparison.study_records import study_records
from backend.edge.answers import Figure, RunCounts, file_name
from backend.edge.context import App, Context
from backend.edge.places import place_of
from backend.reports.markdown import html
from backend.shared.errors import NotFound
from backend.shared.specs import StudySpec
from backend.shared.tables import Study
from backend.shared.team_tables import Share, User
from backend.studies import stream
from backend.studies.schemas import EventOut
from backend.studies.watch import Watch

from . import service
from .schemas import SharedReport, SharedStudy

router = APIRouter(prefix="/shared/{secret}", tags=["shared"])


@dataclass(frozen=True)
class Shown:
    """A share that works, with its study and an open session."""

    share: Share
    study: Study
    session: Session

    def snapshot(self, load: comparisons.Load = study_records) -> frozen.Snapshot:
        """The study as it was when it was shared, or as it is."""
        if self.share.frozen is not None:
            return frozen.load(self.share.frozen)
        return frozen.Snapshot(self.study.spec, frozen.public(load(self.session, self.study)))

    def comparison(self, cache: comparisons.ComparisonCache, query: comparisons.Query) -> Comparison:
        """The comparison of what is shown."""
        state = 0 if self.share.frozen else self.study.event_seq
        return cache.of(("shared", self.share.id), state, lambda: self.snapshot(cache.records).records, query)


@contextmanager
def _shown(app: Context, request: Request, secret: str) -> Iterator[Shown]:
    """The share behind a secret; NotFound where there is none, TooManyRequests for who tries many that are none."""
    with app.database.read() as session:
        try:
            share, study = service.resolve(session, secret)
        except NotFound:
            app.throttle.count(f"shared {place_of(request.scope)}")
            raise
        yield Shown(share, study, session)


@router.get("", operation_id="shared_get")
def get(secret: str, request: Request, app: App) -> SharedStudy:
    """What is shared, by which kind of link; each call counts as a view."""
    with _shown(app, request, secret) as found:
        answer = _summary(found)
        share_id = found.share.id
    request.state.audit = {"share": share_id}
    with app.database.write() as session:
        service.viewed(session, share_id)
    return answer


@router.get("/comparison", operation_id="shared_comparison")
def comparison(
    secret: str,
    request: Request,
    app: App,
    cache: comparisons.Comparisons,
    baseline: Baseline = None,
    x: XAxis = "step",
    band: Band = "t",
    metric: Metric = "validation/loss",
    clock: AtClock = "last",
) -> Comparison:
    """Every arm's means, intervals, overfitting and differences to the baseline."""
    with _shown(app, request, secret) as found:
        wanted = comparisons.Query(baseline=baseline, x=x, band=band, metric=metric, clock=clock)
        return found.comparison(cache, wanted)


@router.get("/figures/{name}", operation_id="shared_figure", response_model=Figure)
def figure(
    secret: str,
    name: str,
    request: Request,
    app: App,
    cache: comparisons.Comparisons,
    baseline: Baseline = None,
    x: XAxis = "step",
    band: Band = "t",
    metric: Metric = "validation/loss",
    clock: AtClock = "last",
    arm: Arms = None,
    log_y: bool = False,
    panel: PanelBy = "auto",
    colour: ColourBy = "method",
) -> Response:
    """One chart of the comparison as a Plotly figure."""
    wanted = comparisons.Query(baseline=baseline, x=x, band=band, metric=metric, clock=clock)
    with _shown(app, request, secret) as found:
        compared = found.comparison(cache, wanted)
    draw = named(name)
    arms = None if arm is None else frozenset(arm)
    return JSONResponse(draw(compared, ChartOptions(arms=arms, log_y=log_y, panel=panel, colour=colour)))


@router.get("/export.csv", operation_id="shared_export", response_class=StreamingResponse, responses=CSV)
def export_csv(secret: str, request: Request, app: App) -> StreamingResponse:
    """Every evaluation behind the comparison, a line each; nothing thinned, nothing averaged."""
    with _shown(app, request, secret) as found:
        records, name = found.snapshot().records, file_name(found.study.name, "study")
    return StreamingResponse(
        export.lines_of(records),
        media_type="text/csv; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.csv"', "Cache-Control": "no-store"},
    )


@router.get("/stream", operation_id="shared_stream", response_class=StreamingResponse, responses=stream.EVENT_STREAM)
def follow(secret: str, request: Request, app: App, watch: Watch) -> StreamingResponse:
    """Says "changed" when there is something new to fetch; ends within ten seconds of the link's end."""
    with _shown(app, request, secret) as found:
        share_id, study_id = found.share.id, found.study.id
        seen = 2**53 if found.share.frozen is not None else found.study.event_seq
    return StreamingResponse(
        stream.follow(app, watch, study_id, seen, partial(_still_open, app, share_id), _changed),
        media_type="text/event-stream",
        headers={"X-Accel-Buffering": "no"},
    )


def _still_open(app: Context, share_id: str) -> bool:
    with app.database.read() as session:
        return service.is_open(session, share_id)


def _changed(event: EventOut) -> bytes:
    return format_sse_event(data_str=f'{{"seq":{event.seq}}}', event="changed", id=str(event.seq))


def _summary(found: Shown) -> SharedStudy:
    snapshot = found.snapshot()
    report = service.shown_report(found.session, found.share)
    author = found.session.get(User, found.share.created_by) if found.share.show_author else None
    return SharedStudy(
        name=snapshot.records.name,
        mode="live" if found.share.frozen is None else "frozen",
        task=StudySpec.model_validate(snapshot.spec).task,
        model=snapshot.records.model,
        dataset=snapshot.records.dataset,
        arms=len(snapshot.records.arms),
        counts=_counts([run.status for run in snapshot.records.runs]),
        spec=StudySpec.model_validate(snapshot.spec),
        author=author.name if author else None,
        report=None if report is None else SharedReport(title=report["title"], text_html=html(report["text"], under=1)),
        shared_at=found.share.created_at,
        expires_at=found.share.expires_at,
        event_seq=snapshot.records.event_seq,
    )


def _counts(statuses: list[str]) -> RunCounts:
    by: dict[str, Any] = {status: statuses.count(status) for status in set(statuses)}
    return RunCounts(**by, total=len(statuses))
