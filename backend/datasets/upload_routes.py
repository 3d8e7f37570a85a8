"""Routes from an upload to a data set: what it would become, and making it."""

from typing import Annotated, Any

from fastapi import APIRouter, Response, status

from backend.accounts import permissions
from backend.accounts.auth import Who
from backend.accounts.principal import Principal
from backend.edge.context import App, held
from backend.shared.errors import Conflict, NotFound
from backend.shared.facts import DatasetFacts
from backend.shared.upload_tables import Upload
from backend.uploads import service as uploads

from .commit import CommitPlan, Commits
from .files.table import Source, source_of
from .preview import preview
from .schemas import DatasetPreview, PreviewPlan, UploadPreview

router = APIRouter(prefix="/uploads", tags=["uploads"])
Committing = Annotated[Commits, held("commits")]


@router.post("/{upload_id}/preview", operation_id="uploads_preview")
def preview_upload(upload_id: str, plan: UploadPreview, who: Who, app: App) -> DatasetPreview:
    """What the file would become: columns, guesses, first rows, labels, lengths, repeats, leakage. Stores nothing."""
    with app.database.write() as session:
        upload, held = _both(session, who, upload_id, plan.validation_upload_id)
        uploads.touch(session, upload_id)

    def source(one: Upload) -> Source:
        path = uploads.require_complete(one, app.settings)

        def watch(count: int) -> None:
            if not path.exists():
                raise NotFound("the upload was deleted while it was looked at")

        return source_of(path, one.name, plan.format, plan.quotes, watch)

    train, validation = source(upload), None if held is None else source(held)
    asked = PreviewPlan(**plan.model_dump(include=set(PreviewPlan.model_fields)))
    with uploads.reading(uploads.previews):
        return preview(app.settings.shared, train, asked, validation)


@router.post("/{upload_id}/commit", operation_id="uploads_commit", status_code=status.HTTP_201_CREATED)
def commit(
    upload_id: str, plan: CommitPlan, who: Who, app: App, commits: Committing, response: Response
) -> DatasetFacts:
    """Make a data set of the file. The same request again gives the same data set; 503: it is being read, ask again."""
    with app.database.read() as session:
        _both(session, who, upload_id, plan.validation_upload_id)
    facts = commits.commit(app.database, app.settings, who, upload_id, plan)
    response.headers["Location"] = f"/api/v1/datasets/{facts.id}"
    return facts


def _both(session: Any, who: Principal, upload_id: str, validation_id: str | None) -> tuple[Upload, Upload | None]:
    if validation_id is None:
        return uploads.get(session, upload_id), None
    permissions.visible(session, who, "upload_id", validation_id)
    if validation_id == upload_id:
        raise Conflict("the same upload cannot be trained on and held out; leave validation_upload_id out")
    return uploads.get(session, upload_id), uploads.get(session, validation_id)
