"""What changes something and is open to everybody is counted by where it comes from, before its body is read.

Behind this door stand a body, its validation, a password's hash and an entry in the audit log; whoever asks too often
is answered without any of them.
"""

import logging

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Receive, Scope, Send

from backend.shared.errors import TooManyRequests

from .context import Context
from .places import place_of
from .problems import problem

log = logging.getLogger(__name__)
WITHIN_S = 60.0
MOST = {  # tries from one place in that time
    "/api/v1/auth/login": 30,
    "/api/v1/auth/setup": 10,
    "/api/v1/invitations/accept": 10,
}
CLOSE = {"Connection": "close"}  # the body is not read


class OpenDoor:
    """ASGI middleware: lets so many tries a minute through."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._said = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer how long to wait."""
        most = MOST.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if most is not None:
            context: Context = scope["app"].state.context
            if not context.settings.trusted_proxies:
                self._say_once(scope)
            try:
                context.throttle.count(f"{scope['path']} {place_of(scope)}", most=most, within_s=WITHIN_S)
            except TooManyRequests as error:
                headers = {**CLOSE, "Retry-After": str(error.retry_after_s)}
                await problem(scope, error.status, error.code, error.message, headers=headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)

    def _say_once(self, scope: Scope) -> None:
        if self._said or "x-forwarded-for" not in Headers(scope=scope):
            return
        self._said = True
        log.warning(
            "something at %s passes on requests of others; if it is a proxy of yours, name it in "
            "DROPSCOPE_TRUSTED_PROXIES, or all people behind it are counted as one",
            place_of(scope),
        )
