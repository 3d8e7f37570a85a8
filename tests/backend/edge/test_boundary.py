"""A page of another site, or a name that points here by DNS rebinding, changes nothing and reads nothing."""

from collections import defaultdict
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from backend.edge.boundary import CSP
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.tables import Table
from tests.backend.make_studies import API, post, study, train

FOREIGN_HOSTS = [
    "evil.example",
    "localhost.evil.example",
    "127.0.0.1.evil.example",
    "evil.example:8321",
    "user@127.0.0.1",
    "127.0.0.1 evil.example",
    "",
]
FOREIGN_ORIGINS = [
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://127.0.0.1:9999"},
    {"Origin": "http://127.0.0.1.evil.example"},
    {"Origin": "http://127.0.0.1@evil.example"},
    {"Origin": "ftp://127.0.0.1"},
    {"Origin": "http://127.0.0.1:port"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://127.0.0.1", "Sec-Fetch-Site": "cross-site"},
]


def _everything(database: Database) -> dict[str, list[Any]]:
    with database.read() as session:
        return {
            name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for name, table in Table.metadata.tables.items()
        }


def _unsafe(client: TestClient, ids: dict[str, str]) -> list[tuple[str, str, Any]]:
    """Every operation that may change something, with a body that it would accept."""
    bodies: dict[str, Any] = {
        "studies_create": study(name="from elsewhere"),
        "studies_preview": study(),
        "studies_update": {"name": "changed"},
        "studies_extend": {"seeds": 3},
        "shares_create": {"study_id": ids["study_id"]},
    }
    found = []
    for path, operations in client.get(f"{API}/openapi.json").json()["paths"].items():
        for method, operation in operations.items():
            if method not in ("get", "head", "options"):
                found.append(
                    (
                        method.upper(),
                        path.format_map(defaultdict(lambda: "none", ids)),
                        bodies.get(operation["operationId"]),
                    )
                )
    return found


@pytest.fixture
def planted(client: TestClient, database: Database, settings: Settings) -> dict[str, str]:
    made = post(client)
    run_ids = train(database, settings.home, packs=1, finish=False)
    return {"study_id": made["id"], "run_id": run_ids[0], "artifact_id": "none"}


def test_foreign_requests_change_no_row(client: TestClient, database: Database, planted: dict[str, str]) -> None:
    before = _everything(database)
    unsafe = _unsafe(client, planted)
    assert len(unsafe) >= 9
    for method, path, body in unsafe:
        for headers in [*({"Host": host} for host in FOREIGN_HOSTS), *FOREIGN_ORIGINS]:
            answer = client.request(method, path, json=body, headers=headers)
            assert answer.status_code == 403, (method, path, headers, answer.text)
            assert answer.json()["code"] == "forbidden"
    assert _everything(database) == before


def test_a_form_of_another_site_changes_no_row(client: TestClient, database: Database, planted: dict[str, str]) -> None:
    before = _everything(database)
    for method, path, _ in _unsafe(client, planted):
        answer = client.request(method, path, data={"a": "b"}, headers={"Origin": "https://evil.example"})
        assert answer.status_code == 403
    assert _everything(database) == before


def test_a_foreign_host_reads_nothing(quiet_client: TestClient) -> None:
    for path in (f"{API}/studies", "/healthz", "/metrics", "/"):
        assert quiet_client.get(path, headers={"Host": "evil.example"}).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Host": "localhost:8321"},
        {"Host": "[::1]:8321", "Origin": "http://[::1]:8321"},
        {"Host": "127.0.0.1:8321", "Origin": "http://127.0.0.1:8321", "Sec-Fetch-Site": "same-origin"},
        {"Host": "127.0.0.1", "Origin": "https://127.0.0.1"},
        {"Sec-Fetch-Site": "same-origin"},
    ],
)
def test_the_page_itself_and_programs_may(quiet_client: TestClient, headers: dict[str, str]) -> None:
    assert quiet_client.post(f"{API}/studies/preview", json=study(), headers=headers).status_code == 200


def test_every_answer_carries_the_headers(quiet_client: TestClient) -> None:
    for answer in (
        quiet_client.get(f"{API}/me"),
        quiet_client.get(f"{API}/nothing"),
        quiet_client.get("/", headers={"Host": "evil.example"}),
        quiet_client.post(f"{API}/studies", content=b"x" * (2 << 20)),
    ):
        assert answer.headers["Content-Security-Policy"] == CSP
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Request-ID"].startswith("request_")
        assert "access-control-allow-origin" not in answer.headers
