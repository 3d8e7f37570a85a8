"""Who is asking: the one dependency that every route of the app passes through.

Without accounts (the default, on a loopback address, behind the Host and Origin checks) everybody is the local owner.
With them, a request needs a session cookie or a bearer token, but for the few operations of `permissions.PUBLIC`.
"""

import contextlib
import time
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, TypeVar

from anyio import CapacityLimiter, to_thread
from fastapi import Depends, Request

from backend.edge.context import App, Context
from backend.shared.errors import Forbidden, Unauthorized, Unavailable
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE

from . import permissions, sessions
from .principal import Principal

Piece = TypeVar("Piece", str, bytes)
COOKIE = "dropscope_session"
ASK_AGAIN_S = 5.0
OWNER = Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")
NOBODY = Principal(user_id="", workspace_id="", role="viewer", how="link")
_files_door = CapacityLimiter(2)  # many files may come at once; whoever else asks does not queue up behind them


async def authenticated(request: Request, app: App) -> Principal:
    """Whoever the credential belongs to, allowed to do this to these objects.

    Raises Unauthorized for no credential or one that does not work, Forbidden or NotFound as `permissions.check` does.
    """
    operation: str = request.scope["route"].operation_id
    if operation in permissions.PUBLIC:
        return NOBODY
    limiter = _files_door if operation.startswith("uploads_") else None
    return await to_thread.run_sync(_principal, request, app, operation, limiter=limiter)


def _principal(request: Request, app: Context, operation: str) -> Principal:
    with app.database.read() as session:
        who = sign_in_of(request, session) if app.settings.auth else OWNER
        request.state.principal = who
        permissions.check(session, who, operation, request.method, request.path_params)
        due = sessions.is_due(session, who)
    if due:
        with contextlib.suppress(Unavailable), app.database.write() as writing:  # the request matters more
            sessions.touch(writing, who)
    return who


def sign_in_of(request: Request, session: Any) -> Principal:
    """The principal of a request's token, else of its cookie; raises Unauthorized."""
    header = request.headers.get("authorization")
    if header is not None:
        kind, _, token = header.partition(" ")
        who = sessions.by_token(session, token.strip()) if kind.lower() == "bearer" else None
        if who is None:
            raise Unauthorized("this token does not work: it is mistyped, expired or revoked; make a new one")
        return who
    cookie = request.cookies.get(COOKIE)
    who = sessions.by_session(session, cookie) if cookie else None
    if who is None:
        raise Unauthorized(
            "sign in, or send a token as `Authorization: Bearer …` (DROPSCOPE_TOKEN for the command line)"
        )
    if request.method not in permissions.SAFE and not {"origin", "sec-fetch-site"} & set(request.headers.keys()):
        raise Forbidden("a request with a session cookie must say its Origin; scripts use a token")
    return who


def still_allowed(app: Context, who: Principal) -> bool:
    """Whether a stream that this principal opened may go on."""
    if who.how == "local":
        return True
    with app.database.read() as session:
        return sessions.still_valid(session, who)


def while_allowed(pieces: Iterable[Piece], app: Context, who: Principal) -> Iterator[Piece]:
    """A download, broken off within seconds of the revocation of what it was begun with.

    Raises Unauthorized: the connection then ends without the end of the file, so that nobody takes it for whole.
    """
    asked_at = time.monotonic()
    for piece in pieces:
        if time.monotonic() - asked_at >= ASK_AGAIN_S:
            asked_at = time.monotonic()
            if not still_allowed(app, who):
                raise Unauthorized("the credential of this download was revoked")
        yield piece


Who = Annotated[Principal, Depends(authenticated)]
