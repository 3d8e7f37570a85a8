"""Routes of a study's place in the queue and on the disk: to the front, retry what failed, see and free its files."""

from fastapi import APIRouter

from backend.accounts.auth import Who
from backend.edge.context import App
from backend.queue.doorbell import Bell

from . import free_files, service
from . import routes as reading
from .schemas import RetryResult, StudyDetail, StudyFiles

router = APIRouter(prefix="/studies", tags=["studies"])


@router.post("/{study_id}/front", operation_id="studies_front")
def front(study_id: str, who: Who, app: App) -> StudyDetail:
    """Put a study's queued runs before those of all other studies, by giving it a higher priority than theirs."""
    with app.database.write() as session:
        service.move_to_front(session, who, study_id)
    return reading.get(study_id, who, app)


@router.post("/{study_id}/retry", operation_id="studies_retry")
def retry_failed(study_id: str, who: Who, app: App, bell: Bell) -> RetryResult:
    """Queue all failed runs again, and only those; each goes on from its checkpoint where that makes sense."""
    with app.database.write() as session:
        queued = service.retry_failed(session, who, study_id)
    if queued:
        bell.ring()
    return RetryResult(queued=queued)


@router.get("/{study_id}/files", operation_id="studies_files")
def files(study_id: str, who: Who, app: App) -> StudyFiles:
    """What the ended runs keep on disk: what a purge would delete."""
    with app.database.read() as session:
        return StudyFiles.model_validate(free_files.preview(session, app.settings, who, study_id))


@router.delete("/{study_id}/files", operation_id="studies_purge")
def purge_files(study_id: str, who: Who, app: App) -> StudyFiles:
    """Delete adapters and checkpoints of all runs; every number stays. 409 while runs are queued or running."""
    return StudyFiles.model_validate(free_files.purge(app.database, app.settings, who, study_id))
