"""No request body is larger than its cap, whatever its Content-Length says or leaves out, and none comes for ever.

Most operations take a handful of keys, and those that are open to everybody are among them: only the ones listed here
take more than `SMALL_BYTES`. A body that is no file is read as a whole here: what it would cost to read as JSON is told
before it is.
"""

import asyncio
import re

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .problems import problem

SMALL_BYTES = 16 << 10
BODY_S = 30.0  # for the whole of a body that is no file; those are paced by `file_body`
_FILE = re.compile(r"/api/v1/uploads/[^/]+/content")
_LARGE = re.compile(r"/api/v1/(studies|studies/preview|studies/[^/]+/(extend|report)|uploads/[^/]+/(preview|commit))")
_TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)  # one that does not end is one, too
MAX_VALUES = 50_000  # in a whole body: 500 arms of a hundred values each
TOO_MANY = f"the body has more than {MAX_VALUES:,} values; send less, or in several requests"
CLOSE = {"Connection": "close"}  # what still comes of the body is not read
SLOW = f"the body did not come within {BODY_S:.0f} s; send it again, over a better line"


class BodyCap:
    """ASGI middleware: refuses by Content-Length at once, and counts the bytes that come and the seconds they take."""

    def __init__(self, app: ASGIApp, max_bytes: int, max_file_bytes: int, body_s: float = BODY_S) -> None:
        self.app, self.max_bytes, self.max_file_bytes, self.body_s = app, max_bytes, max_file_bytes, body_s

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
        most, sentence = self._most(scope["path"], is_file)
        length = headers.get("content-length", "")
        if length.isascii() and length.isdigit() and (len(length) > 18 or int(length) > most):
            await problem(scope, 413, "too_large", sentence, headers=CLOSE)(scope, receive, send)
            return
        counted, has_come = 0, False

        async def piece() -> Message:
            nonlocal counted
            message = await receive()
            counted += len(message.get("body", b""))
            if counted > most:
                raise HTTPException(413, sentence, headers=CLOSE)
            return message

        async def whole() -> Message:
            nonlocal has_come
            if has_come:  # what is waited for after the body is that the client leaves
                return await receive()
            pieces: list[bytes] = []
            try:
                async with asyncio.timeout(self.body_s):
                    while not has_come:
                        message = await piece()
                        if message["type"] != "http.request":
                            return message
                        pieces.append(message.get("body", b""))
                        has_come = not message.get("more_body", False)
            except TimeoutError:
                raise HTTPException(408, SLOW, headers=CLOSE) from None
            body = b"".join(pieces)
            if has_too_many_values(body):
                raise HTTPException(422, TOO_MANY)
            return {"type": "http.request", "body": body, "more_body": False}

        await self.app(scope, piece if is_file else whole, send)

    def _most(self, path: str, is_file: bool) -> tuple[int, str]:
        """The most bytes that an address takes, and the sentence for who sends more."""
        if is_file:
            return self.max_file_bytes, _sentence(self.max_file_bytes, "send less, or raise DROPSCOPE_MAX_UPLOAD_BYTES")
        if _LARGE.fullmatch(path) is not None:
            return self.max_bytes, _sentence(self.max_bytes, "send less, or raise DROPSCOPE_MAX_BODY_BYTES")
        most = min(SMALL_BYTES, self.max_bytes)
        return most, _sentence(most, "this operation takes no more")


def has_too_many_values(body: bytes) -> bool:
    """Whether JSON would have more values than a body may have, told before it is made into objects.

    A value is the first of its list or object, or follows a comma; commas and brackets of texts are none.
    """
    return _separators(body) > MAX_VALUES and _separators(_TEXT.sub(b"", body)) > MAX_VALUES


def _separators(body: bytes) -> int:
    return sum(body.count(sign) for sign in (b",", b"[", b"{"))


def _sentence(most: int, remedy: str) -> str:
    return f"the body is larger than {most:,} bytes; {remedy}"
