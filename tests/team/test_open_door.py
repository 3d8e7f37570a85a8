"""What is open to everybody is counted before it is read, and leaves no more than so many rows for ever."""

from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient

from backend.accounts import audit, audit_layer, permissions
from backend.edge import open_door
from backend.edge.places import place_of
from backend.embedded import web_server
from tests.team.people import API, URL, Team
from tests.team.test_route_matrix import routes

BAD = {"email": "nobody"}


def _from(team: Team, address: str) -> TestClient:
    return TestClient(team.app, base_url=URL, client=(address, 1))


def _rows(team: Team) -> list[Any]:
    with team.database.read() as session:
        return audit.newest(session, 1000)


@pytest.mark.parametrize("path", sorted(open_door.MOST))
def test_who_asks_too_often_is_not_read(team: Team, path: str) -> None:
    client, most = _from(team, "192.0.2.1"), open_door.MOST[path]
    assert [client.post(path, json=BAD).status_code for _ in range(most)] == [422] * most
    refused = client.post(path, content=b"x" * 100_000)
    assert (refused.status_code, refused.json()["code"]) == (429, "too_many_requests")
    assert 0 < int(refused.headers["Retry-After"]) <= 60
    assert refused.headers["Connection"] == "close"
    assert len(_rows(team)) == most
    assert _from(team, "192.0.2.2").post(path, json=BAD).status_code == 422, "another place is not this one"


def test_every_open_operation_that_takes_a_body_is_behind_the_door(team: Team) -> None:
    found = {
        path for path, operation, methods in routes(team.app) if operation in permissions.PUBLIC and "POST" in methods
    }
    assert found == set(open_door.MOST)


def test_nobody_leaves_a_bounded_number_of_rows(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(audit_layer, "NOBODY_FROM_A_PLACE", 4)
    monkeypatch.setattr(audit_layer, "NOBODY_IN_ALL", 10)
    for number in range(5):
        client = _from(team, f"192.0.2.{number}")
        for _ in range(6):
            client.post(f"{API}/auth/login", json=BAD)
    rows = _rows(team)
    assert len(rows) == 10
    assert sorted(row.detail.get("left_out", 0) for row in rows) == [0] * 8 + [2, 2]
    member = team.person("member")
    made = team.client.post(f"{API}/tokens", json={"name": "a script"}, headers=member.headers)
    assert made.status_code == 201
    assert _rows(team)[0].action == "tokens_create", "what people do is always written"


@pytest.mark.parametrize(
    ("client", "place"),
    [
        (("192.0.2.7", 1), "192.0.2.7"),
        (("2001:db8:1:2:3:4:5:6", 1), "2001:db8:1:2::/64"),
        (("::ffff:192.0.2.7", 1), "192.0.2.7"),
        (("testclient", 1), "testclient"),
        (None, "unknown"),
    ],
)
def test_a_line_is_one_place(client: Any, place: str) -> None:
    assert place_of({"client": client}) == place


@pytest.mark.parametrize(("proxies", "let_in"), [((), 30), (("127.0.0.1/32",), 40), (("10.0.0.0/8",), 30)])
def test_a_forwarded_address_is_believed_from_named_proxies_only(
    team: Team, proxies: tuple[str, ...], let_in: int
) -> None:
    """Sixty of sixty wrong logins passed, each with another forged address."""
    listening = web_server.bind("127.0.0.1", 0)
    end_streams = team.app.state.watch.end_soon
    server = web_server.WebServer(team.app, listening, "WARNING", end_streams, trusted_proxies=proxies)
    server.start()
    try:
        with httpx.Client(base_url=web_server.address(listening, "127.0.0.1"), trust_env=False) as http:
            forged = [{"X-Forwarded-For": f"198.51.100.{n}"} for n in range(40)]
            statuses = [http.post(f"{API}/auth/login", json=BAD, headers=headers).status_code for headers in forged]
    finally:
        server.stop()
    assert [statuses.count(status) for status in (422, 429)] == [let_in, 40 - let_in]
    assert len({row.ip for row in _rows(team)}) == (40 if let_in == 40 else 1)


def test_a_proxy_that_nobody_named_is_said_once(team: Team, caplog: pytest.LogCaptureFixture) -> None:
    for _ in range(3):
        team.client.post(f"{API}/auth/login", json=BAD, headers={"X-Forwarded-For": "198.51.100.1"})
    assert caplog.text.count("DROPSCOPE_TRUSTED_PROXIES") == 1
