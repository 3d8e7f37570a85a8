"""Routes that change a study: rename, pause, archive, cancel, extend."""

from fastapi import APIRouter, status

from backend.accounts.auth import Who
from backend.edge.context import App
from backend.queue.doorbell import Bell

from . import extend, service
from . import routes as reading
from .schemas import CancelResult, StudyDetail, StudyExtend, StudyPatch

router = APIRouter(prefix="/studies", tags=["studies"])


@router.patch("/{study_id}", operation_id="studies_update")
def update(study_id: str, patch: StudyPatch, who: Who, app: App, bell: Bell) -> StudyDetail:
    """Rename, pause or go on, change the priority, choose the baseline."""
    with app.database.write() as session:
        service.update(session, who, study_id, patch.model_dump(exclude_unset=True))
    if patch.paused is False:
        bell.ring()
    return reading.get(study_id, who, app)


@router.post("/{study_id}/archive", operation_id="studies_archive")
def archive(study_id: str, who: Who, app: App) -> StudyDetail:
    """Take a study off the list; 409 while runs of it are queued or running."""
    with app.database.write() as session:
        service.archive(session, who, study_id)
    return reading.get(study_id, who, app)


@router.post("/{study_id}/restore", operation_id="studies_restore")
def restore(study_id: str, who: Who, app: App) -> StudyDetail:
    """Put an archived study back on the list."""
    with app.database.write() as session:
        service.restore(session, who, study_id)
    return reading.get(study_id, who, app)


@router.post("/{study_id}/cancel", operation_id="studies_cancel")
def cancel(study_id: str, who: Who, app: App) -> CancelResult:
    """Cancel all runs that have not ended: queued ones at once, running ones at their next step."""
    with app.database.write() as session:
        cancelled, stopping = service.cancel(session, who, study_id)
    return CancelResult(cancelled=cancelled, stopping=stopping)


@router.post("/{study_id}/extend", operation_id="studies_extend", status_code=status.HTTP_202_ACCEPTED)
def extend_study(study_id: str, more: StudyExtend, who: Who, app: App, bell: Bell) -> StudyDetail:
    """Add seeds or arms to a study, finished or not; what is there already stays as it is."""
    reading.count_for_queueing(app, who)
    extend.extend(app.database, app.settings, who, study_id, more.seeds, more.arms)
    bell.ring()
    return reading.get(study_id, who, app)
