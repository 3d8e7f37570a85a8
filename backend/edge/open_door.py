"""What changes something and is open to everybody is counted by where it comes from, before its body is read.

Behind this door stand a body, its validation, a password's hash and an entry in the audit log; whoever asks too often
is answered without any of them.
"""

from starlette.types import ASGIApp, Receive, Scope, Send

from backend.shared.errors import TooManyRequests

from .places import place_of
from .problems import problem

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

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer how long to wait."""
        most = MOST.get(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if most is not None:
            throttle = scope["app"].state.context.throttle
            try:
                throttle.count(f"{scope['path']} {place_of(scope)}", most=most, within_s=WITHIN_S)
            except TooManyRequests as error:
                headers = {**CLOSE, "Retry-After": str(error.retry_after_s)}
                await problem(scope, error.status, error.code, error.message, headers=headers)(scope, receive, send)
                return
        await self.app(scope, receive, send)
