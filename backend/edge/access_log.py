"""Two layers that remember requests: the audit log, for what changes something, and the access log, where it is on."""

import logging
import time

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.shared import logs

from .secret_addresses import shown

log = logging.getLogger(__name__)
access_log = logging.getLogger("dropscope.access")


class AccessLog:
    """ASGI middleware: one line a request in the log, with the secret of a share link left out."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on and log its end."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        begun, status = time.monotonic(), 0

        async def look(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, look)
        finally:
            client, took_ms = scope.get("client"), 1000 * (time.monotonic() - begun)
            place, path = client[0] if client else "unknown", shown(scope["path"])
            with logs.about(request_id=scope.get("state", {}).get("request_id", "none")):
                access_log.info("%s %s %r %d %.0f ms", place, scope["method"], path, status, took_ms)
