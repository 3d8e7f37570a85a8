"""The web server's socket."""

import asyncio
import socket

import httpx
import pytest
from fastapi import FastAPI

from backend.embedded import web_server
from backend.shared.errors import StartupError


def test_answers_are_sent_at_once() -> None:
    """No connection that the server accepts holds small packets back (TCP_NODELAY), or each answer would wait 40 ms."""
    listening = web_server.bind("127.0.0.1", 0)
    seen: list[int] = []

    class Looking(asyncio.Protocol):
        def connection_made(self, transport: asyncio.BaseTransport) -> None:
            accepted = transport.get_extra_info("socket")
            seen.append(accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
            transport.close()

    async def accept() -> None:
        server = await asyncio.get_running_loop().create_server(Looking, sock=listening)
        async with server:
            reader, writer = await asyncio.open_connection("127.0.0.1", listening.getsockname()[1])
            assert await reader.read() == b""
            writer.close()

    asyncio.run(accept())
    assert seen == [1]


def test_a_port_that_is_taken_is_a_sentence() -> None:
    first = web_server.bind("127.0.0.1", 0)
    try:
        with pytest.raises(StartupError, match="is in use; choose another with --port"):
            web_server.bind("127.0.0.1", first.getsockname()[1])
    finally:
        first.close()


def test_it_serves_and_stops() -> None:
    app = FastAPI(openapi_url=None)
    listening = web_server.bind("127.0.0.1", 0)
    server = web_server.WebServer(app, listening, "WARNING", lambda: None)
    server.start()
    assert httpx.get(f"{web_server.address(listening, '127.0.0.1')}/nothing").status_code == 404
    server.stop()
    assert not server.is_alive()
