"""Routes of studies: make, preview, list and read."""

import logging
from typing import Annotated

from fastapi import APIRouter, Header, Query, Response, status

from backend.accounts.auth import Who
from backend.accounts.principal import Principal
from backend.edge.answers import Page
from backend.edge.context import App, Context
from backend.edge.paging import Cursor, Limit, encode, number_and_id
from backend.queue import why_waiting
from backend.queue.doorbell import Bell
from backend.shared.specs import StudySpec
from backend.shared.store import runs as run_store
from backend.shared.store import studies as store
from backend.shared.store import tallies

from . import preview, service, views
from .schemas import StudyDetail, StudyPreview, StudySummary

log = logging.getLogger(__name__)
router = APIRouter(prefix="/studies", tags=["studies"])
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
    limit: Limit = 50,
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
        items = [views.study_summary(study, found_tallies[study.id], ahead.get(study.id)) for study in rows]
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
        )
