"""A study's place in the queue and on the disk: to the front, retry only what failed, why it waits, purge."""

from datetime import timedelta
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import update

from backend.queue.why_waiting import NO_WORKER
from backend.shared import disk
from backend.shared.database import Database
from backend.shared.process import this_process
from backend.shared.run_status import FailureCode
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, workers
from backend.shared.tables import Run, now
from tests.backend.make_studies import API, post, train


def _claim(database: Database) -> queue.Pack:
    with database.write() as session:
        pack = queue.claim_pack(session, workers.register(session, this_process(), "cpu", "0"), 12, 30)
    assert pack is not None
    return pack


def test_the_front_of_the_queue(client: TestClient, database: Database) -> None:
    first, second = post(client)["id"], post(client, name="later")["id"]
    assert client.get(f"{API}/studies/{second}").json()["queue_position"] == 4
    listed = {study["id"]: study["queue_position"] for study in client.get(f"{API}/studies").json()["items"]}
    assert (listed[first], listed[second]) == (0, 4)
    moved = client.post(f"{API}/studies/{second}/front").json()
    assert (moved["queue_position"], moved["priority"]) == (0, 1)
    assert client.get(f"{API}/studies/{first}").json()["queue_position"] == 4
    assert _claim(database).study_id == second


def test_retry_takes_the_failed_runs_only(client: TestClient, database: Database) -> None:
    study_id = post(client)["id"]
    failed, done = _claim(database).runs
    with database.write() as session:
        endings.fail(session, failed.run_id, failed.fence, FailureCode.LOSS_NAN, "no number")
        endings.finish(session, done.run_id, done.fence, 8, {})
    client.post(f"{API}/studies/{study_id}/cancel")
    assert client.post(f"{API}/studies/{study_id}/retry").json() == {"queued": 1}
    counts = client.get(f"{API}/studies/{study_id}").json()["counts"]
    assert (counts["queued"], counts["succeeded"], counts["cancelled"], counts["failed"]) == (1, 1, 2, 0)


def test_a_run_without_a_live_lease_is_not_shown_as_running(client: TestClient, database: Database) -> None:
    study_id = post(client)["id"]
    lapsed, held = (run.run_id for run in _claim(database).runs)
    with database.write() as session:
        session.execute(update(Run).where(Run.id == lapsed).values(lease_until=now() - timedelta(seconds=1)))
    run = client.get(f"{API}/runs/{lapsed}").json()
    assert run["status"] == "queued"
    assert "lease ran out" in run["message"]
    assert client.get(f"{API}/runs/{held}").json()["status"] == "running"
    study = client.get(f"{API}/studies/{study_id}").json()
    assert (study["counts"]["running"], study["counts"]["queued"]) == (1, 3)
    assert sum(arm["counts"]["running"] for arm in study["arms"]) == 1
    running = client.get(f"{API}/studies/{study_id}/runs", params={"status": "running"}).json()["items"]
    assert [one["id"] for one in running] == [held]
    assert 'dropscope_runs{status="running"} 1.0' in client.get("/metrics").text.splitlines()
    assert client.post(f"{API}/studies/{study_id}/cancel").json() == {"cancelled": 2, "stopping": 2}


def test_why_nothing_runs_is_said(client: TestClient, database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    study_id = post(client)["id"]

    def told() -> str | None:
        reason: str | None = client.get(f"{API}/studies/{study_id}").json()["waits_for"]
        return reason

    assert told() == NO_WORKER
    with database.write() as session:
        workers.register(session, this_process(), "cpu", "0")
    assert told() is None
    with monkeypatch.context() as full:
        full.setattr(disk, "free_bytes", lambda _: 1000)
        assert "disk space" in (told() or "")
        ready = client.get("/readyz")
        assert (ready.status_code, "disk space" in ready.json()["checks"]["disk"]) == (200, True)
    client.patch(f"{API}/studies/{study_id}", json={"paused": True})
    assert told() is None


def test_purge_says_what_it_frees_and_keeps_the_numbers(
    client: TestClient, database: Database, settings: Settings
) -> None:
    study_id = post(client, seeds=1)["id"]
    refused = client.delete(f"{API}/studies/{study_id}/files")
    assert (refused.status_code, "2 runs" in refused.json()["detail"]) == (409, True)
    runs = train(database, settings.home)
    comparison = client.get(f"{API}/studies/{study_id}/comparison").json()["arms"]
    before = client.get(f"{API}/studies/{study_id}/files").json()
    weights = sum(file.stat().st_size for file in _files(settings.artifacts))
    assert before == {"adapters": 2, "checkpoints": 0, "bytes": weights}
    assert client.delete(f"{API}/studies/{study_id}/files").json() == before
    assert _files(settings.artifacts) == []
    assert client.get(f"{API}/studies/{study_id}/files").json() == {"adapters": 0, "checkpoints": 0, "bytes": 0}
    assert client.get(f"{API}/runs/{runs[0]}/artifacts").json()["items"] == []
    assert "deleted on request" in client.get(f"{API}/runs/{runs[0]}/logs").json()["items"][-1]["text"]
    assert client.get(f"{API}/studies/{study_id}/comparison").json()["arms"] == comparison


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
