"""A study is deleted for good: its rows, files, links and answers; and only once it is archived."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select, update

from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.tables import Run, Table
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, study, train

SECRET = "a sentence of a held-out row that nobody else may read"
KEPT = {"alembic_version", "workspaces", "workers", "audit_log", "users", "sessions", "memberships"}


def _rows(database: Database) -> dict[str, int]:
    with database.read() as session:
        return {
            name: session.scalar(select(func.count()).select_from(table)) or 0
            for name, table in Table.metadata.tables.items()
            if name not in KEPT
        }


def _quoting(client: TestClient, **changes: Any) -> str:
    """A trained study whose runs quote a row, with a report and a link."""
    study_id = str(post(client, seeds=1, **changes)["id"])
    context = inside(client)
    train(context.database, context.settings.home)
    with context.database.write() as session:
        quote = {"best": [{"text": SECRET}], "worst": [], "generated": []}
        session.execute(update(Run).where(Run.study_id == study_id).values(examples=quote))
    report = {"title": "t", "text": SECRET, "version": 0}
    assert client.put(f"{API}/studies/{study_id}/report", json=report).status_code == 200
    return study_id


def test_nothing_of_a_deleted_study_is_left(client: TestClient, database: Database, settings: Settings) -> None:
    before = _rows(database)
    study_id = _quoting(client)
    key = {"Idempotency-Key": "again"}
    link = client.post(f"{API}/shares", json={"study_id": study_id, "mode": "frozen"}).json()
    assert client.get(f"{API}/shared/{link['secret']}").status_code == 200
    other = client.post(f"{API}/studies", json=study(name="another"), headers=key).json()["id"]
    client.post(f"{API}/studies/{other}/cancel")

    refused = client.delete(f"{API}/studies/{study_id}")
    assert (refused.status_code, "not archived; archive it first" in refused.json()["detail"]) == (409, True)
    for one in (study_id, other):
        assert client.post(f"{API}/studies/{one}/archive").status_code == 200
        assert client.delete(f"{API}/studies/{one}").status_code == 204
        assert client.delete(f"{API}/studies/{one}").status_code == 404
    assert _rows(database) == before
    assert [file for file in settings.artifacts.rglob("*") if file.is_file()] == []
    for path in (f"studies/{study_id}", f"studies/{study_id}/comparison", f"shared/{link['secret']}"):
        assert client.get(f"{API}/{path}").status_code == 404
    again = client.post(f"{API}/studies", json=study(name="another"), headers=key)
    assert (again.status_code, again.json()["id"] != other) == (202, True)


def test_no_byte_of_a_deleted_row_stays_in_the_home(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    """Not in a free page of the database, nor in its log, while the server goes on."""
    study_id = _quoting(sqlite_client)
    home = sqlite_settings.home
    assert _holding(home, SECRET)
    sqlite_client.post(f"{API}/studies/{study_id}/archive")
    assert sqlite_client.delete(f"{API}/studies/{study_id}").status_code == 204
    assert _holding(home, SECRET) == []


def test_a_run_of_an_archived_study_is_not_queued_again(sqlite_client: TestClient) -> None:
    study_id = post(sqlite_client, seeds=1)["id"]
    sqlite_client.post(f"{API}/studies/{study_id}/cancel")
    sqlite_client.post(f"{API}/studies/{study_id}/archive")
    run = sqlite_client.get(f"{API}/studies/{study_id}/runs").json()["items"][0]["id"]
    retried = sqlite_client.post(f"{API}/runs/{run}/retry")
    assert (retried.status_code, "restore it, then retry" in retried.json()["detail"]) == (409, True)


def test_files_that_cannot_be_deleted_keep_their_study(
    sqlite_client: TestClient, sqlite_settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    study_id = _quoting(sqlite_client)
    sqlite_client.post(f"{API}/studies/{study_id}/archive")

    def denied(_: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as locked:
        locked.setattr("shutil.rmtree", denied)  # tests may run as root, whom no mode keeps out
        refused = sqlite_client.delete(f"{API}/studies/{study_id}")
    assert (refused.status_code, "cannot be deleted (Permission denied)" in refused.json()["detail"]) == (503, True)
    assert sqlite_client.get(f"{API}/studies/{study_id}").status_code == 200
    assert sqlite_client.delete(f"{API}/studies/{study_id}").status_code == 204


def _holding(home: Path, text: str) -> list[str]:
    found = [file for file in home.rglob("*") if file.is_file() and text.encode() in file.read_bytes()]
    return [file.name for file in found]
