"""Routes of studies: make, preview, list, read, change, cancel, extend; their place in the queue and on the disk."""

import logging
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from backend.accounts import service as accounts
from backend.accounts.auth import Who
from backend.accounts.principal import Principal
from backend.edge.answers import Page
from backend.edge.context import App, Context
from backend.edge.paging import Cursor, encode, number_and_id
from backend.queue import why_waiting
from backend.queue.doorbell import Bell
from backend.shared.specs import StudySpec
from backend.shared.store import runs as run_store
from backend.shared.store import studies as store
from backend.shared.store import tallies

from . import deletion, extend, free_files, preview, service, views
from .schemas import (
    CancelResult,
    RetryResult,
    StudyDetail,
    StudyExtend,
    StudyFiles,
    StudyPatch,
    StudyPreview,
    StudySummary,
)

log = logging.getLogger(__name__)
router = APIRouter(prefix="/studies", tags=["studies"])
MOST_LISTED = 1000  # a list that is sorted and filtered where it is looked at
IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=200,
        pattern=r"^[\x21-\x7e]+$",
        description="The same key with the same body gives the first answer again, for 24 hours.",
    ),
]


def count_for_queueing(app: Context, who: Principal) -> None:
    """Raises TooManyRequests for a person of a team who queues more often than is meant."""
    if who.how != "local":
        app.throttle.count(f"studies {who.user_id}", most=app.settings.studies_per_hour, within_s=3600)


@router.post("", operation_id="studies_create", status_code=status.HTTP_202_ACCEPTED)
def create(
    spec: StudySpec, who: Who, app: App, bell: Bell, response: Response, idempotency_key: IdempotencyKey = None
) -> StudyDetail:
    """Queue a study. All that stands in the way is answered at once, and then nothing is stored."""
    count_for_queueing(app, who)
    study_id = service.create(app.database, app.settings, spec, who, idempotency_key)
    log.info("study %s is queued", study_id)
    bell.ring()
    response.headers["Location"] = f"/api/v1/studies/{study_id}"
    return get(study_id, who, app)


@router.post("/preview", operation_id="studies_preview")
def preview_study(spec: StudySpec, who: Who, app: App) -> StudyPreview:
    """What posting this study would do: its arms, how many runs, an estimate, and every problem. Stores nothing."""
    with app.database.read() as session:
        return views.preview(preview.preview(session, app.settings, spec))


@router.get("", operation_id="studies_list")
def list_studies(
    who: Who,
    app: App,
    limit: Annotated[int, Query(ge=1, le=MOST_LISTED, description="Most items of one page.")] = 50,
    cursor: Cursor = None,
    archived: Annotated[bool, Query(description="Archived studies instead of the others.")] = False,
    q: Annotated[str | None, Query(max_length=200, description="Part of the name, model or data set.")] = None,
) -> Page[StudySummary]:
    """Studies, the newest first."""
    before = number_and_id(cursor) if cursor else None
    with app.database.read() as session:
        found = store.page(session, who.workspace_id, archived=archived, search=q, before=before, limit=limit + 1)
        rows, more = found[:limit], len(found) > limit
        found_tallies = tallies.tallies(session, [study.id for study in rows])
        ahead = run_store.queue_positions(session, rows)
        people = accounts.names(session, {study.created_by for study in rows})
        items = [
            views.study_summary(study, found_tallies[study.id], ahead.get(study.id), people.get(study.created_by))
            for study in rows
        ]
    last = encode(*store.sort_key(rows[-1])) if more else None
    return Page(items=items, next_cursor=last)


@router.get("/{study_id}", operation_id="studies_get")
def get(study_id: str, who: Who, app: App) -> StudyDetail:
    """A study with its arms."""
    with app.database.read() as session:
        study = store.get(session, who.workspace_id, study_id)
        tally = tallies.tallies(session, [study_id])[study_id]
        return views.study_detail(
            study,
            store.arms(session, study_id),
            tally,
            tallies.counts_by_arm(session, study_id),
            run_store.queue_positions(session, [study]).get(study_id),
            why_waiting.reason(session, app.settings, study, tally.counts),
            accounts.names(session, {study.created_by}).get(study.created_by),
        )


@router.patch("/{study_id}", operation_id="studies_update")
def update(study_id: str, patch: StudyPatch, who: Who, app: App, bell: Bell) -> StudyDetail:
    """Rename, tag, pause or go on, change the priority, choose the baseline."""
    with app.database.write() as session:
        service.update(session, who, study_id, patch.model_dump(exclude_unset=True))
    if patch.paused is False:
        bell.ring()
    return get(study_id, who, app)


@router.post("/{study_id}/archive", operation_id="studies_archive")
def archive(study_id: str, who: Who, app: App) -> StudyDetail:
    """Take a study off the list; 409 while runs of it are queued or running."""
    with app.database.write() as session:
        service.archive(session, who, study_id)
    return get(study_id, who, app)


@router.post("/{study_id}/restore", operation_id="studies_restore")
def restore(study_id: str, who: Who, app: App) -> StudyDetail:
    """Put an archived study back on the list."""
    with app.database.write() as session:
        service.restore(session, who, study_id)
    return get(study_id, who, app)


@router.post("/{study_id}/cancel", operation_id="studies_cancel")
def cancel(study_id: str, who: Who, app: App) -> CancelResult:
    """Cancel all runs that have not ended: queued ones at once, running ones at their next step."""
    with app.database.write() as session:
        cancelled, stopping = service.cancel(session, who, study_id)
    return CancelResult(cancelled=cancelled, stopping=stopping)


@router.post("/{study_id}/extend", operation_id="studies_extend", status_code=status.HTTP_202_ACCEPTED)
def extend_study(study_id: str, more: StudyExtend, who: Who, app: App, bell: Bell) -> StudyDetail:
    """Add seeds or arms to a study, finished or not; what is there already stays as it is."""
    count_for_queueing(app, who)
    extend.extend(app.database, app.settings, who, study_id, more.seeds, more.arms)
    bell.ring()
    return get(study_id, who, app)


@router.post("/{study_id}/front", operation_id="studies_front")
def front(study_id: str, who: Who, app: App) -> StudyDetail:
    """Put a study's queued runs before those of all other studies, by giving it a higher priority than theirs."""
    with app.database.write() as session:
        service.move_to_front(session, who, study_id)
    return get(study_id, who, app)


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


@router.delete("/{study_id}", operation_id="studies_delete", status_code=status.HTTP_204_NO_CONTENT)
def delete(study_id: str, who: Who, app: App) -> None:
    """Delete an archived study for good: runs, numbers, files, report and share links. 409 where it is not archived."""
    deletion.delete(app.database, app.settings, who, study_id)
