"""How many connections the web server holds, and for how long one may ask nothing, or take nothing of its answer.

Each connection is an open file, and a process has so many of them. Without a bound, a thousand connections that say
nothing leave none for whoever does: not even to accept one and say so.
"""

import contextlib
import resource
from asyncio import TimerHandle, Transport
from collections import OrderedDict
from typing import Any

from uvicorn.protocols.http.h11_impl import H11Protocol

HEADERS_S = 15.0  # from the connection, or from the last answer's end, to a whole request line with its headers
TAKEN_S = 60.0  # for 48 KiB of an answer that waits: slower than 1 KiB/s is nobody's line, as with uploads
MOST = 4096
WANTED_FILES = 65_536
OWN_FILES = 256  # database, logs, uploads; and connections that are accepted before another has gone
BACKLOG = 128  # asyncio accepts so many at once


def raise_file_limit() -> int:
    """Let this process open as many files as it may, within reason; how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = WANTED_FILES if hard == resource.RLIM_INFINITY else min(hard, WANTED_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):  # a system that allows less than it says
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return WANTED_FILES if soft == resource.RLIM_INFINITY else soft


class Crowd:
    """All connections of a server; where it is full, the one that has asked nothing for longest makes room."""

    def __init__(self, files: int, headers_s: float = HEADERS_S, taken_s: float = TAKEN_S) -> None:
        self.most = min(MOST, max(files - OWN_FILES, files // 2))
        self.headers_s, self.taken_s = headers_s, taken_s
        self._full: dict[Guarded, TimerHandle] = {}
        self._all: set[Guarded] = set()
        self._idle: OrderedDict[Guarded, TimerHandle] = OrderedDict()

    def protocol(self, **options: Any) -> "Guarded":
        """A connection of this server, as uvicorn makes one."""
        return Guarded(self, **options)

    def enter(self, one: "Guarded") -> None:
        """A connection that was just accepted."""
        self._all.add(one)
        self.is_idle(one)
        if len(self._all) > self.most:
            self._close(next(iter(self._idle)))

    def is_idle(self, one: "Guarded") -> None:
        """It has no request from now on, until a whole one has come."""
        if one in self._all and one not in self._idle:
            self._idle[one] = one.loop.call_later(self.headers_s, self._close, one)

    def is_busy(self, one: "Guarded") -> None:
        """A request has come."""
        timer = self._idle.pop(one, None)
        if timer is not None:
            timer.cancel()

    def is_full(self, one: "Guarded") -> None:
        """Its client does not take what was sent; whoever makes the answer waits, with all that they hold."""
        if one in self._all and one not in self._full:
            self._full[one] = one.loop.call_later(self.taken_s, self._close, one)

    def is_taken(self, one: "Guarded") -> None:
        """What was sent is taken again."""
        timer = self._full.pop(one, None)
        if timer is not None:
            timer.cancel()

    def leave(self, one: "Guarded") -> None:
        """It is closed."""
        self.is_busy(one)
        self.is_taken(one)
        self._all.discard(one)

    def _close(self, one: "Guarded") -> None:
        self.leave(one)
        one.transport.abort()


class Guarded(H11Protocol):
    """uvicorn's HTTP/1.1, which tells its crowd when it has a request, when none, and when its answer is not taken."""

    def __init__(self, crowd: Crowd, **options: Any) -> None:
        super().__init__(**options)
        self._crowd = crowd

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """Begin."""
        super().connection_made(transport)
        self._crowd.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End."""
        self._crowd.leave(self)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        """More waits to be taken than the system holds for it."""
        super().pause_writing()
        self._crowd.is_full(self)

    def resume_writing(self) -> None:
        """Most of that was taken."""
        super().resume_writing()
        self._crowd.is_taken(self)

    def handle_events(self) -> None:
        """Something came: a part of a request, or a whole one."""
        super().handle_events()
        self._tell()

    def on_response_complete(self) -> None:
        """An answer has gone out; the next request may lie here already."""
        super().on_response_complete()
        self._tell()

    def _tell(self) -> None:
        if self.cycle is not None and not self.cycle.response_complete:
            self._crowd.is_busy(self)
        else:
            self._crowd.is_idle(self)
