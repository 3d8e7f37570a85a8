"""Routes of uploads: announce a file, send it in one or several pieces, look at it, make a data set of it."""

from typing import Annotated, Any

from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Query, Request, Response, status
from starlette.exceptions import HTTPException

from backend.accounts.auth import Who, still_allowed
from backend.accounts.principal import Principal
from backend.edge.context import App, Context, held
from backend.edge.file_body import Body
from backend.shared.errors import Conflict, TooLarge, Unauthorized
from backend.shared.upload_tables import Upload

from . import service
from .schemas import UploadCreate, UploadOut
from .sweeper import Senders

router = APIRouter(prefix="/uploads", tags=["uploads"])
Sending = Annotated[Senders, held("senders")]
_disk = CapacityLimiter(4)  # threads that write files; all other requests keep theirs
_flush = CapacityLimiter(1)  # several files flushed at once keep the disk from the database's few pages
_book = CapacityLimiter(2)  # those that write down what became of them: many at once wait for the database, one by one
FILE: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.post("", operation_id="uploads_create", status_code=status.HTTP_201_CREATED)
def create(wanted: UploadCreate, who: Who, app: App, response: Response) -> UploadOut:
    """Announce a file. Send it next; after 45 seconds without a byte it is forgotten."""
    if who.how != "local":
        app.throttle.count(f"upload {who.user_id}", most=app.settings.uploads_per_hour, within_s=3600)
    name = wanted.name.replace("\\", "/").rpartition("/")[2] or "file"
    with app.database.write() as session:
        row = service.create(session, app.settings, who, name, wanted.bytes)
        response.headers["Location"] = f"/api/v1/uploads/{row.id}"
        return _shown(app, row)


@router.get("/{upload_id}", operation_id="uploads_get")
def get(upload_id: str, who: Who, app: App) -> UploadOut:
    """How much has come."""
    with app.database.read() as session:
        return _shown(app, service.get(session, upload_id))


@router.delete("/{upload_id}", operation_id="uploads_delete", status_code=status.HTTP_204_NO_CONTENT)
async def delete(upload_id: str, who: Who, app: App, senders: Sending) -> None:
    """Throw an upload away, with what has come of it."""
    await to_thread.run_sync(_delete, app, senders, upload_id, limiter=_book)


@router.put("/{upload_id}/content", operation_id="uploads_content", openapi_extra=FILE)
async def content(
    upload_id: str,
    request: Request,
    who: Who,
    app: App,
    senders: Sending,
    offset: Annotated[int, Query(ge=0, le=2**50, description="Bytes that have come before; 409 says how many.")] = 0,
) -> UploadOut:
    """Send the file, or go on with it. What has come stays when the connection breaks; a newer request takes over."""
    mine, body = object(), Body(request)
    request.state.close = True  # after a refusal what still comes of the body is not read
    sink = await to_thread.run_sync(_open, app, upload_id, offset, limiter=_book)
    senders[upload_id] = mine
    try:
        length = request.headers.get("content-length", "")
        sink.expect(int(length) if length.isdigit() else 0)
        while piece := await body.read():
            if senders.get(upload_id) is not mine:
                raise Conflict("another request goes on with this upload, or it was deleted")
            await to_thread.run_sync(sink.write, piece, limiter=_disk)
            if body.look_is_due():
                await to_thread.run_sync(_look, app, who, upload_id, limiter=_book)
        done = await to_thread.run_sync(sink.finish, limiter=_flush)
        request.state.close = False
        return await to_thread.run_sync(_ended, app, upload_id, sink.size if done else None, limiter=_book)
    except (TooLarge, HTTPException) as error:
        if getattr(error, "status", 0) == 413 or getattr(error, "status_code", 0) == 413:
            await to_thread.run_sync(_delete, app, senders, upload_id, limiter=_book)
        raise
    finally:
        if senders.get(upload_id) is mine:
            del senders[upload_id]
        sink.close()


def _shown(app: Context, row: Upload) -> UploadOut:
    return UploadOut(
        id=row.id,
        name=row.name,
        bytes=row.bytes,
        received=service.received(app.settings, row) if row.dataset_id is None else row.bytes or 0,
        complete=row.complete,
        dataset_id=row.dataset_id,
        created_at=row.created_at,
    )


def _open(app: Context, upload_id: str, offset: int) -> service.Sink:
    with app.database.write() as session:
        row = service.get(session, upload_id)
        service.touch(session, upload_id)
    if row.complete:
        raise Conflict("all of this upload has come already")
    return service.Sink(app.settings, row, offset)


def _delete(app: Context, senders: Senders, upload_id: str) -> None:
    senders.pop(upload_id, None)
    with app.database.write() as session:
        service.delete(session, app.settings, upload_id)


def _look(app: Context, who: Principal, upload_id: str) -> None:
    if not still_allowed(app, who):
        raise Unauthorized("the credential of this upload was revoked")
    with app.database.write() as session:
        service.touch(session, upload_id)


def _ended(app: Context, upload_id: str, whole: int | None) -> UploadOut:
    with app.database.write() as session:
        service.touch(session, upload_id, whole=whole)
        return _shown(app, service.get(session, upload_id))
