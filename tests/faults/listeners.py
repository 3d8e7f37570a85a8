"""Many readers of a study's stream at once, as plain sockets in one event loop: patient, deaf, and vanishing ones."""

import asyncio
import contextlib
import json
import socket
import struct
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit


@dataclass
class Listener:
    """What one reader has seen: every event in order with the time of its arrival, over all its connections."""

    events: list[dict[str, Any]] = field(default_factory=list)
    arrived: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)  # seconds from an event's writing to its arrival
    connections: int = 0

    @property
    def seq(self) -> int:
        return int(self.events[-1]["seq"]) if self.events else 0

    async def follow(self, url: Any, path: str, ended: Any) -> None:
        """Read until `ended(event)`; where the connection breaks, connect again after the last event seen."""
        while not (self.events and ended(self.events[-1])):
            with contextlib.suppress(OSError, asyncio.IncompleteReadError, ConnectionError):
                await self._read(url(), path, ended)
            await asyncio.sleep(0.1)  # a browser waits longer than this

    async def _read(self, url: str, path: str, ended: Any) -> None:
        reader, writer = await opened(url, path, self.seq)
        try:
            self.connections += 1
            while line := await reader.readline():
                if line.startswith(b"data:"):
                    event = json.loads(line[5:])
                    self.events.append(event)
                    self.arrived.append(time.monotonic())
                    self.waits.append(time.time() - _moment(event["at"]))
                    if ended(event):
                        return
        finally:
            writer.close()


async def opened(url: str, path: str, after: int = 0) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection on which a stream has been asked for."""
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port, limit=1 << 24)
    asked = f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\nLast-Event-ID: {after}\r\nConnection: close\r\n\r\n"
    writer.write(asked.encode())
    await writer.drain()
    return reader, writer


def deaf(url: str, path: str) -> socket.socket:
    """A connection that asks for a stream and never reads it; its window is small, so that the server feels it soon."""
    address = urlsplit(url)
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((address.hostname, address.port))
    made.sendall(f"GET {path} HTTP/1.1\r\nHost: {address.netloc}\r\n\r\n".encode())
    return made


def vanish(connection: socket.socket) -> None:
    """Be gone without a FIN: what was not read is dropped and the connection reset."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def _moment(text: str) -> float:
    from datetime import datetime

    return datetime.fromisoformat(text).timestamp()
