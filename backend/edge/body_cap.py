"""No request body is larger than its cap, whatever its Content-Length says or leaves out."""

import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem

_FILE = re.compile(r"/api/v1/uploads/[^/]+/content")
CLOSE = {"Connection": "close"}  # what still comes of the body is not read


class BodyCap:
    """ASGI middleware: refuses by Content-Length at once, and counts the bytes that come."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_file_bytes: int) -> None:
        self.app, self.max_bytes, self.max_file_bytes = app, max_bytes, max_file_bytes

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
        is_file = scope["method"] == "PUT" and _FILE.fullmatch(scope["path"]) is not None
        most = self.max_file_bytes if is_file else self.max_bytes
        sentence = _sentence(most, "DROPSCOPE_MAX_UPLOAD_BYTES" if is_file else "DROPSCOPE_MAX_BODY_BYTES")
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > most):
            await problem(scope, 413, "too_large", sentence, headers=CLOSE)(scope, receive, send)
            return
        counted = 0

        async def count() -> Message:
            nonlocal counted
            message = await receive()
            if message["type"] == "http.request":
                counted += len(message.get("body", b""))
                if counted > most:
                    raise HTTPException(413, sentence, headers=CLOSE)
            return message

        await self.app(scope, count, send)


def _sentence(most: int, setting: str) -> str:
    return f"the body is larger than {most:,} bytes; send less, or raise {setting}"
