"""The layer that writes into the audit log what changed something, or tried to."""

import logging
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.edge.context import Context
from backend.shared.errors import Unavailable

from . import audit, permissions

log = logging.getLogger(__name__)
_writers = CapacityLimiter(4)  # however many entries wait for the database, requests keep their threads


class Audit:
    """ASGI middleware: after the answer, one entry for each operation that changed something, or tried to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and write down what became of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status, location = 500, ""

        async def look(message: Message) -> None:
            nonlocal status, location
            if message["type"] == "http.response.start":
                status = message["status"]
                location = dict(message.get("headers", [])).get(b"location", b"").decode("latin-1")
            await send(message)

        try:
            await self.app(scope, receive, look)
        finally:
            if _is_kept(scope, status):
                await to_thread.run_sync(_write, scope, status, location, limiter=_writers)


def _is_kept(scope: Scope, status: int) -> bool:
    operation = getattr(scope.get("route"), "operation_id", None)
    if operation is None or operation in audit.SILENT or status == 429:
        return False
    if operation not in audit.READS and scope["method"] in permissions.SAFE:
        return False
    return "principal" in scope.get("state", {}) or operation in permissions.PUBLIC


def _write(scope: Scope, status: int, location: str) -> None:
    context: Context = scope["app"].state.context
    state: dict[str, Any] = scope["state"]
    named = [str(value) for name, value in scope.get("path_params", {}).items() if name in permissions.OBJECTS]
    object_id = named[-1] if named else location.rpartition("/")[2] or None
    client = scope.get("client")
    try:
        with context.database.write() as session:
            audit.write(
                session,
                state.get("principal"),
                scope["route"].operation_id,
                object_id,
                status,
                client[0] if client else "unknown",
                state.get("audit", {}),
            )
    except Unavailable as error:
        log.error("%s by %s is not in the audit log: %s", scope["route"].operation_id, state.get("principal"), error)
