"""Routes of a study's report: read it, save it, take it away as one file."""

from fastapi import APIRouter, Response

from backend.accounts.auth import Who
from backend.comparison import cache as comparisons
from backend.comparison.plan.told import lines
from backend.comparison.schema import Comparison
from backend.edge.answers import Figure, Responses, file_name
from backend.edge.context import App

from . import service as reports
from .html import page
from .markdown import html
from .schemas import Definition, ReportIn, ReportOut, ReportTable
from .table import DEFINITIONS

router = APIRouter(prefix="/studies/{study_id}", tags=["reports"])
HTML: Responses = {200: {"description": "One HTML file.", "content": {"text/html": {"schema": {"type": "string"}}}}}


@router.get("/report", operation_id="reports_get")
def get(study_id: str, who: Who, app: App, cache: comparisons.Comparisons) -> ReportOut:
    """Title and text, the comparison in words, table and figures, definitions, footnotes, methods."""
    with app.database.read() as session:
        found = reports.read(session, who.workspace_id, study_id, cache.records)
    shown = found.comparison
    methods = found.methods.markdown()
    return ReportOut(
        study_id=study_id,
        study_name=shown.study_name,
        model=shown.model,
        dataset=shown.dataset,
        title=found.title,
        text=found.text,
        text_html=html(found.text, under=1),
        version=found.version,
        frozen=found.frozen_at is not None,
        frozen_at=found.frozen_at,
        updated_at=found.updated_at,
        event_seq=shown.event_seq,
        latest_seq=found.latest_seq,
        progress=shown.progress.sentence,
        verdict=shown.verdict,
        answers=shown.answers,
        plan=lines(shown),
        table=ReportTable.model_validate(found.table),
        in_time=None if found.in_time is None else ReportTable.model_validate(found.in_time),
        elsewhere=None if found.elsewhere is None else ReportTable.model_validate(found.elsewhere),
        elsewhere_text=_elsewhere(shown),
        figures=[Figure.model_validate(figure) for figure in found.figures],
        definitions=[Definition(term=term, meaning=meaning) for term, meaning in DEFINITIONS],
        footnotes=shown.notes,
        methods_text=methods,
        methods_html=html(methods),
    )


def _elsewhere(shown: Comparison) -> str:
    return "" if shown.elsewhere is None else f"{shown.elsewhere.sentence} {shown.elsewhere.note}"


@router.put("/report", operation_id="reports_save")
def save(study_id: str, written: ReportIn, who: Who, app: App, cache: comparisons.Comparisons) -> ReportOut:
    """Store title and text; freeze the report at the study as it stands, or let it follow the study again."""
    with app.database.write() as session:
        reports.save(
            session,
            who,
            study_id,
            title=written.title,
            text=written.text,
            freeze=written.frozen,
            version=written.version,
            load=cache.records,
        )
    return get(study_id, who, app, cache)


@router.get("/report.html", operation_id="reports_file", response_class=Response, responses=HTML)
def file(study_id: str, who: Who, app: App, cache: comparisons.Comparisons) -> Response:
    """The report as one file that needs no network: figures, tables, text alternatives, footnotes."""
    with app.database.read() as session:
        found = reports.read(session, who.workspace_id, study_id, cache.records)
    name = file_name(found.title, study_id)
    return Response(
        page(found),
        media_type="text/html; charset=utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.html"', "Cache-Control": "no-store"},
    )
