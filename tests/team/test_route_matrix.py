"""Every route × every method × everybody: what each of them is answered, held against a stored snapshot.

`python -m tests.team.test_route_matrix` writes the snapshot anew; read its diff before committing it.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend.accounts import credentials, permissions
from backend.migrations.runner import migrate
from backend.shared.settings import Settings
from backend.shared.team_tables import BrowserSession
from backend.shares import service as shares
from tests.backend.make_adapters import add as add_adapter
from tests.backend.make_studies import post, train
from tests.team.people import API, Person, Team, bearer, past, serving

SNAPSHOT = Path(__file__).parent / "route_matrix.json"
METHODS = ("GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE")
OUTSIDERS = ("anonymous", "bad token", "expired", "revoked", "ended session")
EVERYBODY = (*OUTSIDERS, "other workspace", "viewer", "member", "admin", "read token of admin")


def routes(app: FastAPI) -> Iterator[tuple[str, str | None, frozenset[str]]]:
    """(path, operation id, methods) of every route of the app, however it was included."""
    for context in iter_route_contexts(app.routes):
        operation = getattr(context.original_route, "operation_id", None)
        yield context.path or "", operation, frozenset(context.methods or ())


def _people(team: Team) -> dict[str, dict[str, str]]:
    admin = team.person("admin")
    ended = team.person("admin")
    with team.database.write() as session:
        session.execute(update(BrowserSession).where(BrowserSession.user_id == ended.id).values(ended_at=past()))
    return {
        "anonymous": {},
        "bad token": bearer(credentials.new_token()[1]),
        "expired": bearer(team.token(admin, expires_at=past())),
        "revoked": bearer(team.token(admin, revoked_at=past())),
        "ended session": ended.headers,
        "other workspace": team.person("admin", "elsewhere").headers,
        "viewer": team.person("viewer").headers,
        "member": team.person("member").headers,
        "admin": admin.headers,
        "read token of admin": bearer(team.token(admin, "read")),
    }


def _objects(team: Team) -> dict[str, str]:
    """One object of each kind in the team's workspace; tokens and shares of a person who does not ask."""
    owner = team.person("admin")
    client = TestClient(team.app, base_url="http://127.0.0.1", headers=owner.headers)
    study = post(client, seeds=1)
    run_id = train(team.database, team.settings.home)[0]
    artifact = client.get(f"{API}/runs/{run_id}/artifacts").json()["items"][0]["id"]
    return {
        "study_id": study["id"],
        "run_id": run_id,
        "artifact_id": artifact,
        "dataset_id": _dataset(client),
        "adapter_id": add_adapter(client).json()["id"],
        "upload_id": client.post(f"{API}/uploads", json={"name": "a.csv", "bytes": 1000}).json()["id"],
        "user_id": team.person("viewer").id,
        "token_id": str(credentials.token_id(team.token(owner))),
        "invitation_id": client.post(f"{API}/invitations", json={}).json()["id"],
        "share_id": client.post(f"{API}/shares", json={"study_id": study["id"]}).json()["id"],
        "secret": _share(team, owner, study["id"]),
        "name": "losses",
    }


def _dataset(client: TestClient) -> str:
    rows = "text,label\n" + "".join(f"film {i},{i % 2}\n" for i in range(20))
    upload = client.post(f"{API}/uploads", json={"name": "films.csv"}).json()["id"]
    assert client.put(f"{API}/uploads/{upload}/content", content=rows).status_code == 200
    made = client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification"})
    return str(made.json()["id"])


def _share(team: Team, owner: Person, study_id: str) -> str:
    with team.database.write() as session:
        return shares.create(session, owner.principal, study_id, freeze=True, days=7, show_author=False)[1]


def matrix(team: Team) -> dict[str, dict[str, int]]:
    """ "METHOD path" → who → status; streams without end are left to test_streams."""
    objects, people = _objects(team), _people(team)
    known = {(method, path) for path, _, methods in routes(team.app) for method in methods}
    paths = sorted(
        {path for path, _, _ in routes(team.app) if path.startswith(("/api", "/healthz", "/readyz", "/metrics"))}
    )
    order = sorted(METHODS, key=lambda method: (method in ("DELETE", "POST"), method))
    found: dict[str, dict[str, int]] = {}
    for method in order:
        for path in sorted(paths, key=lambda path: path.endswith("/logout")):
            if (method, path) not in known:
                answer = team.client.request(method, path.format(**objects))
                assert answer.status_code in (401, 405), (method, path)  # 401: another route has this shape
                continue
            row = found[f"{method} {path}"] = {}
            for who in EVERYBODY:
                team.client.cookies.clear()
                if path.endswith("/stream") and (who not in OUTSIDERS or "{secret}" in path):
                    continue  # an answer without end
                answer = team.client.request(method, path.format(**objects), headers=people[who], **_body(method))
                row[who] = answer.status_code
    return found


def _body(method: str) -> dict[str, Any]:
    return {} if method in permissions.SAFE or method == "DELETE" else {"json": {"unknown": "key"}}


@pytest.mark.slow
def test_everybody_is_answered_as_the_snapshot_says(team: Team) -> None:
    assert matrix(team) == json.loads(SNAPSHOT.read_text())


def test_the_snapshot_lets_nobody_in_but_by_the_written_list() -> None:
    for route, row in json.loads(SNAPSHOT.read_text()).items():
        method, path = route.split(" ", 1)
        if path == f"{API}/openapi.json":
            continue
        is_public = path in PUBLIC_PATHS
        for who in OUTSIDERS:
            if who in row:
                assert (row[who] == 401) is not is_public or path.endswith(("/login", "/setup", "/accept")), (
                    route,
                    who,
                )
        if "_id}" in path:
            assert row.get("other workspace", 404) == 404, route
        if method not in permissions.SAFE and not is_public and "viewer" in row:
            assert row["viewer"] in (403, 404, 422, 204), route


PUBLIC_PATHS = frozenset(
    {
        f"{API}/auth/login",
        f"{API}/auth/setup",
        f"{API}/invitations/accept",
        f"{API}/shared/{{secret}}",
        f"{API}/shared/{{secret}}/comparison",
        f"{API}/shared/{{secret}}/figures/{{name}}",
        f"{API}/shared/{{secret}}/export.csv",
        f"{API}/shared/{{secret}}/stream",
        "/healthz",
        "/readyz",
    }
)


def test_the_public_list_is_the_written_one(team: Team) -> None:
    operations = {operation: path for path, operation, _ in routes(team.app) if operation}
    assert {operations[operation] for operation in permissions.PUBLIC} == PUBLIC_PATHS
    assert set(permissions.NEEDS) | permissions.SESSION_ONLY <= set(operations)
    parameters = {part[1:-1] for path in operations.values() for part in path.split("/") if part.startswith("{")}
    assert parameters == set(permissions.OBJECTS) | permissions.NO_OBJECTS


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(home=Path(folder))
        migrate(settings)
        with serving(settings) as running:
            SNAPSHOT.write_text(json.dumps(matrix(running), indent=1) + "\n")
    sys.stdout.write(f"wrote {SNAPSHOT}\n")
