"""Open streams end within ten seconds of what they were opened with: over real HTTP, at the product's own pace."""

import contextlib
import threading
import time
from collections.abc import Callable, Iterator

import httpx
import pytest

from backend.embedded import web_server
from tests.backend.make_studies import study
from tests.team.people import API, Person, Team, bearer, past

LONGEST_S = 10.0
pytestmark = pytest.mark.slow


@pytest.fixture
def url(team: Team) -> Iterator[str]:
    listening = web_server.bind("127.0.0.1", 0)
    server = web_server.WebServer(team.app, listening, "WARNING", team.app.state.watch.end_soon)
    server.start()
    yield web_server.address(listening, "127.0.0.1")
    server.stop()


class Stream(threading.Thread):
    """Reads a stream to its end, and remembers when that was."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        super().__init__(daemon=True)
        self.url, self.headers = url, headers
        self.opened, self.ended_at, self.lines = threading.Event(), 0.0, 0

    def run(self) -> None:
        with httpx.stream("GET", self.url, headers=self.headers, timeout=30) as answer:
            assert answer.status_code == 200
            with contextlib.suppress(httpx.RemoteProtocolError):  # the server stopped in the middle
                for _ in answer.iter_lines():
                    self.lines += 1
                    self.opened.set()
        self.ended_at = time.monotonic()


def test_what_is_revoked_ends_open_streams(team: Team, url: str) -> None:
    admin = team.person("admin")
    users = {name: team.person("viewer") for name in ("token", "session", "deactivated", "kept")}
    token = team.token(users["token"])
    study_id = team.client.post(f"{API}/studies", json=study(seeds=1), headers=admin.headers).json()["id"]
    links = {
        mode: team.client.post(f"{API}/shares", json={"study_id": study_id, "mode": mode}, headers=admin.headers).json()
        for mode in ("live", "frozen")
    }
    token_id = team.client.get(f"{API}/tokens", headers=users["token"].headers).json()["items"][0]["id"]

    path = f"{url}{API}/studies/{study_id}/stream"
    streams = {name: Stream(path, person.headers) for name, person in users.items() if name != "token"}
    streams["token"] = Stream(path, bearer(token))
    streams |= {mode: Stream(f"{url}{API}/shared/{link['secret']}/stream", {}) for mode, link in links.items()}
    for one in streams.values():
        one.start()
    for name, one in streams.items():
        assert one.opened.wait(10), name

    def act(method: str, where: str, who: Person, **body: object) -> Callable[[], httpx.Response]:
        return lambda: httpx.request(method, f"{url}{API}/{where}", headers={**who.headers, "Origin": url}, **body)

    actions = [
        act("DELETE", f"tokens/{token_id}", users["token"]),
        act("POST", "auth/logout", users["session"]),
        act("PATCH", f"users/{users['deactivated'].id}", admin, json={"active": False}),
        *(act("DELETE", f"shares/{link['id']}", admin) for link in links.values()),
    ]
    begun = time.monotonic()
    for one in actions:
        assert one().is_success
    for name, one in streams.items():
        if name != "kept":
            one.join(LONGEST_S)
            assert one.ended_at, f"{name} still streams after {LONGEST_S} s"
            assert one.ended_at - begun <= LONGEST_S
    assert streams["kept"].is_alive()
    assert httpx.get(path, headers=bearer(token)).status_code == 401
    assert httpx.get(path, headers=users["session"].headers).status_code == 401


def test_an_upload_ends_with_its_token(team: Team, url: str) -> None:
    token = team.token(team.person("member"))
    upload = httpx.post(f"{url}{API}/uploads", json={"name": "a.csv"}, headers=bearer(token), timeout=30).json()["id"]
    revoked_at: list[float] = []

    def endless() -> Iterator[bytes]:
        for piece in range(10_000):
            if piece == 20:
                team.change_token(token, revoked_at=past())
                revoked_at.append(time.monotonic())
            yield b"x" * 8192
            time.sleep(0.02)  # a slow line, not a wait for anything

    with contextlib.suppress(httpx.TransportError):  # the server hangs up while we still send
        sent = httpx.put(f"{url}{API}/uploads/{upload}/content", content=endless(), headers=bearer(token), timeout=60)
        assert sent.status_code == 401
    assert time.monotonic() - revoked_at[0] <= LONGEST_S
    other = team.person("admin")
    found = httpx.get(f"{url}{API}/uploads/{upload}", headers=bearer(team.token(other)), timeout=30).json()
    assert not found["complete"]
