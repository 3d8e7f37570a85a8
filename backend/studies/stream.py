"""The live stream of a study: server-sent events, replayed from the table by the number of the last one seen."""

import time
from collections.abc import AsyncIterator, Callable
from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Header, Query
from fastapi.responses import StreamingResponse
from fastapi.sse import format_sse_event

from backend.accounts.auth import Who, still_allowed
from backend.accounts.principal import Principal
from backend.edge.answers import Responses
from backend.edge.context import App, Context
from backend.shared.errors import NotFound
from backend.shared.store import studies
from backend.shared.store import study_events as store

from .schemas import EventOut
from .watch import StudyWatch, Watch

router = APIRouter(prefix="/studies", tags=["studies"])
BATCH = 500
RETRY_MS = 2000
HEARTBEAT_S = 5.0  # and as often it is asked again whether the client may still look
LONGEST_S = 600.0  # then the client connects again
EVENT_STREAM: Responses = {
    200: {
        "description": "Server-sent events; the data of each is an `EventOut`, its id the event's `seq`.",
        "content": {"text/event-stream": {"schema": {"type": "string"}}},
    }
}


@router.get(
    "/{study_id}/stream", operation_id="studies_stream", response_class=StreamingResponse, responses=EVENT_STREAM
)
def stream(
    study_id: str,
    who: Who,
    app: App,
    watch: Watch,
    last_event_id: Annotated[str | None, Header(max_length=40, description="`seq` of the last event seen.")] = None,
    after: Annotated[int | None, Query(ge=0, le=2**53, description="The same, for a first connection.")] = None,
) -> StreamingResponse:
    """Events of a study as they happen, after the last one seen; from the first one where none is named."""
    with app.database.read() as session:
        studies.get(session, who.workspace_id, study_id)
    seen = int(last_event_id) if last_event_id and last_event_id.isascii() and last_event_id.isdigit() else after or 0
    return StreamingResponse(
        follow(app, watch, study_id, min(seen, 2**53), partial(_goes_on, app, who, study_id), _written),
        media_type="text/event-stream",
        headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
    )


def _goes_on(app: Context, who: Principal, study_id: str) -> bool:
    """Whether the client may still look, and there is still something to look at."""
    if not still_allowed(app, who):
        return False
    with app.database.read() as session:
        try:
            studies.get(session, who.workspace_id, study_id)
        except NotFound:
            return False
    return True


async def follow(
    app: Context,
    watch: StudyWatch,
    study_id: str,
    seen: int,
    still: Callable[[], bool],
    written: Callable[[EventOut], bytes],
) -> AsyncIterator[bytes]:
    """The stream after event `seen`, until `still` says no (asked every five seconds) or ten minutes have passed."""
    yield format_sse_event(comment="connected", retry=RETRY_MS)
    asked_at = time.monotonic()
    ends_at = asked_at + LONGEST_S
    async with watch.watching(study_id) as study:
        while time.monotonic() < ends_at and not watch.closing:
            if time.monotonic() - asked_at >= HEARTBEAT_S:
                asked_at = time.monotonic()
                if not await to_thread.run_sync(still):
                    return
            batch = await to_thread.run_sync(_read, app, study_id, seen)
            for event in batch:
                yield written(event)
                seen = event.seq
            if batch:
                continue
            if not await study.newer_than(seen, timeout=HEARTBEAT_S):
                yield format_sse_event(comment="alive")


def _written(event: EventOut) -> bytes:
    return format_sse_event(data_str=event.model_dump_json(), event=event.kind, id=str(event.seq))


def _read(app: Context, study_id: str, seen: int) -> list[EventOut]:
    with app.database.read() as session:  # opened and closed here: a held transaction would pin the WAL
        return [EventOut.model_validate(row) for row in store.after(session, study_id, seen, BATCH)]
