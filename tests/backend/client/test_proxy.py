"""What is meant for this machine does not leave it, whatever proxy the environment names."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from dropscope import ApiError, Dropscope, ServerUnreachable

from backend.client.loopback import is_loopback
from backend.embedded import web_server
from tests.team.people import Team


@pytest.fixture
def proxied(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """What the proxy of the environment was asked for."""
    asked: list[str] = []

    class Proxy(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(418)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = HTTPServer(("127.0.0.1", 0), Proxy)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{server.server_port}")
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield asked
    server.shutdown()
    server.server_close()


def test_loopback_is_asked_directly(team: Team, proxied: list[str]) -> None:
    listening = web_server.bind("127.0.0.1", 0)
    server = web_server.WebServer(team.app, listening, "WARNING", team.app.state.watch.end_soon)
    server.start()
    try:
        port = listening.getsockname()[1]
        for host in ("127.0.0.1", "localhost"):
            with Dropscope(f"http://{host}:{port}", team.token(team.person("member"))) as client:
                assert client.me()["role"] == "member"
    finally:
        server.stop()
    assert proxied == []
    with Dropscope("http://127.0.0.1:1") as client, pytest.raises(ServerUnreachable):
        client.me()
    assert proxied == []


def test_other_machines_are_asked_through_it(proxied: list[str]) -> None:
    with Dropscope("http://dropscope.example.org") as client, pytest.raises(ApiError):
        client.me()
    assert proxied == ["http://dropscope.example.org/api/v1/me"]


@pytest.mark.parametrize(
    ("url", "is_here"),
    [
        ("http://127.0.0.1:8321", True),
        ("http://127.9.9.9", True),
        ("http://[::1]:8321", True),
        ("https://LOCALHOST", True),
        ("http://a.localhost:1", True),
        ("http://localhost.example.org", False),
        ("http://127.0.0.1.example.org", False),
        ("http://10.0.0.1", False),
        ("http://0.0.0.0", False),
        ("not an address", False),
    ],
)
def test_what_is_here(url: str, is_here: bool) -> None:
    assert is_loopback(url) is is_here
