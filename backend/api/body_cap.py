"""No request body is larger than its cap, whatever its Content-Length says or leaves out."""

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from backend.api.problems import problem


class BodyCap:
    """ASGI middleware: refuses by Content-Length at once, and counts the bytes that come."""

    def __init__(self, app: ASGIApp, max_bytes: int) -> None:
        self.app, self.max_bytes = app, max_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on whose body stays under the cap."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        if headers.get("content-encoding", "identity").lower() != "identity":
            sentence = "a packed body (Content-Encoding) is not taken; send it as it is"
            await problem(scope, 415, "unsupported_media_type", sentence)(scope, receive, send)
            return
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > self.max_bytes):
            await problem(scope, 413, "too_large", self._sentence())(scope, receive, send)
            return
        counted = 0

        async def count() -> Message:
            nonlocal counted
            message = await receive()
            if message["type"] == "http.request":
                counted += len(message.get("body", b""))
                if counted > self.max_bytes:
                    raise HTTPException(413, self._sentence())
            return message

        await self.app(scope, count, send)

    def _sentence(self) -> str:
        return f"the body is larger than {self.max_bytes:,} bytes; send less, or raise DROPSCOPE_MAX_BODY_BYTES"
