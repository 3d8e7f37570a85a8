"""The body of a request that is a file: read in pieces, at a pace that shows somebody means it."""

import asyncio
import time

from fastapi import Request, status
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

PIECE_BYTES = 256 << 10
LOOK_S = 5.0
WINDOW_S, LEAST_BYTES = 25.0, 25 << 10  # slower than 1 KiB/s is nobody's line
SLOW = "the file comes too slowly; go on from what has come, over a better line"


class Body:
    """Holds 256 KiB at most; what has come before a failure is given out before the failure is raised."""

    def __init__(self, request: Request) -> None:
        self._stream = request.stream().__aiter__()
        self._held = bytearray()
        self._ended = False
        self._failure: Exception | None = None
        self._window = self._looked = time.monotonic()
        self._came = 0

    async def read(self) -> bytes:
        """The next piece, b"" at the end.

        Raises ClientDisconnect where the connection broke, HTTPException 408 where the body comes too slowly, and
        what the layers around it raise.
        """
        while len(self._held) < PIECE_BYTES and not self._ended and self._failure is None:
            try:
                async with asyncio.timeout(WINDOW_S):
                    data = await anext(self._stream)
                self._pace(len(data))
            except StopAsyncIteration:
                self._ended = True
            except (TimeoutError, ClientDisconnect, HTTPException) as error:
                slow = isinstance(error, TimeoutError)
                self._failure = HTTPException(status.HTTP_408_REQUEST_TIMEOUT, SLOW) if slow else error
            else:
                self._held += data
                if self._is_due():
                    break
        if not self._held and self._failure is not None:
            raise self._failure
        piece = bytes(self._held)
        self._held.clear()
        return piece

    def look_is_due(self) -> bool:
        """Whether some seconds have passed since this was last true."""
        if not self._is_due():
            return False
        self._looked = time.monotonic()
        return True

    def _is_due(self) -> bool:
        return time.monotonic() - self._looked >= LOOK_S

    def _pace(self, came: int) -> None:
        self._came += came
        at = time.monotonic()
        if at - self._window >= WINDOW_S:
            if self._came < LEAST_BYTES:
                raise TimeoutError
            self._window, self._came = at, 0
