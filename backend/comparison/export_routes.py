"""The raw numbers of a study as CSV, one line per evaluation of each run."""

from fastapi import APIRouter
from fastapi.responses import StreamingResponse

from backend.accounts.auth import Who, while_allowed
from backend.edge.answers import Responses, file_name
from backend.edge.context import App
from backend.shared.store import studies as store

from . import export

router = APIRouter(prefix="/studies", tags=["studies"])
CSV: Responses = {
    200: {"description": "CSV with a header line.", "content": {"text/csv": {"schema": {"type": "string"}}}}
}


@router.get("/{study_id}/export.csv", operation_id="studies_export", response_class=StreamingResponse, responses=CSV)
def export_csv(study_id: str, who: Who, app: App) -> StreamingResponse:
    """Arm, method, seed, run, status, step, epoch and every metric; nothing thinned, nothing averaged."""
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
    return StreamingResponse(
        while_allowed(export.lines(app.database, study_id), app, who),
        media_type="text/csv; charset=utf-8",
        headers={
            "Content-Disposition": f'attachment; filename="{file_name(study.name, study.id)}.csv"',
            "Cache-Control": "no-store",
        },
    )
