"""The layer that writes into the audit log what changed something, or tried to."""

import logging
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.edge.context import Context
from backend.edge.places import place_of
from backend.shared.errors import TooManyRequests, Unavailable

from . import audit, permissions

log = logging.getLogger(__name__)
# Entries of nobody known in an hour, from one place and in all: the table is never made smaller.
NOBODY_FROM_A_PLACE, NOBODY_IN_ALL, HOUR_S = 60, 600, 3600.0
_writers = CapacityLimiter(4)  # however many entries wait for the database, requests keep their threads


class Audit:
    """ASGI middleware: after the answer, one entry for each operation that changed something, or tried to."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._left_out = 0

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
            if _is_kept(scope, status) and self._has_room(scope):
                await to_thread.run_sync(_write, scope, status, location, limiter=_writers)

    def _has_room(self, scope: Scope) -> bool:
        """Whether one more entry may be written: of people always, of nobody known so many an hour.

        The next one that is written says how many were left out before it.
        """
        state = scope["state"]
        if "principal" in state:
            return True
        throttle = scope["app"].state.context.throttle
        try:
            throttle.count(f"audit {place_of(scope)}", most=NOBODY_FROM_A_PLACE, within_s=HOUR_S)
            throttle.count("audit", most=NOBODY_IN_ALL, within_s=HOUR_S)
        except TooManyRequests:
            self._left_out += 1
            return False
        if self._left_out:
            state["audit"] = {**state.get("audit", {}), "left_out": self._left_out}
            self._left_out = 0
        return True


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
