"""Somebody who leaves before the answer is no error of the server."""

import asyncio
import logging

import pytest
from starlette.types import Message

from backend.main import create_app
from backend.shared.settings import Settings


def test_a_client_that_left_leaves_no_error_in_the_log(
    sqlite_settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[Message] = []
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": "/api/v1/studies",
        "raw_path": b"/api/v1/studies",
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"127.0.0.1")],
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
    }

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)

    app = create_app(sqlite_settings)
    try:
        with caplog.at_level(logging.WARNING):
            asyncio.run(app(scope, receive, send))
    finally:
        app.state.doorbell.close()
        app.state.context.database.close()
    assert sent == []
    assert caplog.records == []
