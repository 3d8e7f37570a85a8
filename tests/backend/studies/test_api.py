"""Making, listing and changing studies over REST, on both databases."""

import socket
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.tables import Arm, Run, Study, StudyEvent
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, study, train


def _rows(client: TestClient) -> tuple[int, ...]:
    database = inside(client).database
    with database.read() as session:
        return tuple(session.scalar(select(func.count()).select_from(t)) or 0 for t in (Study, Arm, Run, StudyEvent))


def test_a_study_is_queued_in_seed_major_order(client: TestClient) -> None:
    answer = client.post(f"{API}/studies", json=study(seeds=3))
    assert answer.status_code == 202
    body = answer.json()
    assert answer.headers["Location"] == f"{API}/studies/{body['id']}"
    assert body["counts"] == {"queued": 6, "running": 0, "succeeded": 0, "failed": 0, "cancelled": 0, "total": 6}
    assert [arm["label"] for arm in body["arms"]] == ["No dropout", "HiddenKey 0.1"]
    assert body["baseline_arm_id"] == body["arms"][0]["id"]
    assert body["queue_position"] == 0
    runs = client.get(f"{API}/studies/{body['id']}/runs").json()["items"]
    arms = [arm["id"] for arm in body["arms"]]
    assert [(run["seed"], run["arm_id"]) for run in runs] == [(s, a) for s in range(3) for a in arms]
    assert {run["total_steps"] for run in runs} == {8}


def test_the_same_key_gives_the_same_study(client: TestClient) -> None:
    key = {"Idempotency-Key": "abc"}
    first = client.post(f"{API}/studies", json=study(), headers=key).json()
    again = client.post(f"{API}/studies", json=study(), headers=key)
    assert again.status_code == 202
    assert again.json()["id"] == first["id"]
    assert _rows(client)[0] == 1
    other = client.post(f"{API}/studies", json=study(name="other"), headers=key)
    assert other.status_code == 422
    assert "new key" in other.json()["detail"]


def test_a_preview_says_what_would_be_and_stores_nothing(client: TestClient) -> None:
    arms = [{"method": "none"}, {"method": "hiddenkey", "rate": [0.05, 0.1], "rank": [8, 32]}]
    answer = client.post(f"{API}/studies/preview", json=study(arms=arms, seeds=5))
    assert answer.status_code == 200
    body = answer.json()
    assert body["runs"] == 25
    assert body["steps_per_run"] == 8
    assert body["problems"] == []
    assert [arm["label"] for arm in body["arms"]][1:3] == ["HiddenKey 0.05 · r8", "HiddenKey 0.05 · r32"]
    assert [arm["spec"]["alpha"] for arm in body["arms"]][1:3] == [16, 64]
    assert body["estimated_seconds"] is None
    assert "no worker has trained" in body["estimate_basis"]
    assert _rows(client) == (0, 0, 0, 0)


def test_a_preview_estimates_from_what_workers_measured(
    client: TestClient, database: Database, settings: Settings
) -> None:
    post(client)
    train(database, settings.home)
    one = client.post(f"{API}/studies/preview", json=study(seeds=1)).json()
    four = client.post(f"{API}/studies/preview", json=study(seeds=4)).json()
    assert 0 < one["estimated_seconds_low"] < one["estimated_seconds"] < one["estimated_seconds_high"]
    assert abs(four["estimated_seconds"] / one["estimated_seconds"] - 4) < 1e-9
    assert "measured on the last 2 packs of runs; start" in one["estimate_basis"]


def test_every_problem_is_named_at_once_and_nothing_is_stored(client: TestClient) -> None:
    arms = [{"method": "hiddnkey"}, {"method": "dropkey", "rate": [0.1, 1.0]}, {"method": "none", "rank": 0}]
    body = study(model="minilm", train_rows=10**6, arms=arms)
    preview = client.post(f"{API}/studies/preview", json=body)
    assert preview.status_code == 200
    found = {problem["pointer"]: problem["detail"] for problem in preview.json()["problems"]}
    assert set(found) == {"/model", "/train_rows", "/arms/0/method", "/arms/1/rate/1", "/arms/2/rank"}
    assert "minilm-l6" in found["/model"]
    assert "hiddenkey" in found["/arms/0/method"]
    answer = client.post(f"{API}/studies", json=body)
    assert answer.status_code == 422
    assert {error["pointer"] for error in answer.json()["errors"]} == set(found)
    assert _rows(client) == (0, 0, 0, 0)


def test_a_study_of_the_hub_is_refused_without_asking_the_hub(
    sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[Any] = []
    monkeypatch.setattr(socket.socket, "connect", lambda _, address: opened.append(address))
    monkeypatch.setattr(socket, "getaddrinfo", lambda host, *_, **__: opened.append(host))
    body = study(model="some/roberta", dataset="nyu-mll/glue:rte")
    answer = sqlite_client.post(f"{API}/studies", json=body)
    assert answer.status_code == 422
    said = {item["pointer"]: item["detail"] for item in answer.json()["errors"]}
    assert "`dropscope model fetch some/roberta`" in said["/model"]
    assert "`dropscope data fetch nyu-mll/glue --config rte`" in said["/dataset"]
    told = sqlite_client.post(f"{API}/studies/preview", json=body).json()["problems"]
    assert {problem["pointer"]: problem["detail"] for problem in told} == said
    assert opened == []


def test_lists_come_in_pages_that_miss_and_repeat_nothing(client: TestClient) -> None:
    ids = [post(client, name=f"study {i}", seeds=1)["id"] for i in range(5)]
    seen: list[str] = []
    cursor = None
    while True:
        page = client.get(f"{API}/studies", params={"limit": 2} | ({"cursor": cursor} if cursor else {})).json()
        seen += [item["id"] for item in page["items"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        if len(seen) == 2:
            post(client, name="came between", seeds=1)
    assert seen == ids[::-1]


def test_lists_are_searched_as_text(client: TestClient) -> None:
    post(client, name="100% of it", seeds=1)
    post(client, name="100 of it", seeds=1)

    def names(q: str) -> list[str]:
        return [item["name"] for item in client.get(f"{API}/studies", params={"q": q}).json()["items"]]

    assert names("100%") == ["100% of it"]
    assert len(names("TOMATOES")) == 2
    assert names("nothing like it") == []


def test_a_study_is_renamed_paused_and_given_another_baseline(client: TestClient) -> None:
    made = post(client)
    path = f"{API}/studies/{made['id']}"
    answer = client.patch(path, json={"name": "new", "paused": True, "baseline": "HiddenKey 0.1", "priority": 3})
    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["paused"], body["priority"]) == ("new", True, 3)
    assert body["baseline_arm_id"] == made["arms"][1]["id"]
    assert body["event_seq"] == made["event_seq"] + 2
    assert client.patch(path, json={}).json()["event_seq"] == body["event_seq"]
    unknown = client.patch(path, json={"baseline": "nobody"})
    assert unknown.status_code == 422
    assert "No dropout" in unknown.json()["detail"]


def test_archive_waits_for_the_runs(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client)
    path = f"{API}/studies/{made['id']}"
    refused = client.post(f"{path}/archive")
    assert refused.status_code == 409
    assert "4 runs" in refused.json()["detail"]
    train(database, settings.home)
    assert client.post(f"{path}/archive").json()["archived_at"] is not None
    assert client.get(f"{API}/studies").json()["items"] == []
    assert [item["id"] for item in client.get(f"{API}/studies?archived=true").json()["items"]] == [made["id"]]
    assert client.post(f"{path}/restore").json()["archived_at"] is None
    assert len(client.get(f"{API}/studies").json()["items"]) == 1


def test_cancel_ends_what_waits_and_stops_what_runs(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client)
    running = train(database, settings.home, packs=1, finish=False)
    answer = client.post(f"{API}/studies/{made['id']}/cancel")
    assert answer.json() == {"cancelled": 4 - len(running), "stopping": len(running)}
    assert client.get(f"{API}/runs/{running[0]}").json()["cancel_requested"] is True
    again = client.post(f"{API}/studies/{made['id']}/cancel").json()
    assert again["cancelled"] == 0


def test_a_finished_study_grows_by_seeds_and_arms(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client)
    train(database, settings.home)
    path = f"{API}/studies/{made['id']}"
    answer = client.post(f"{path}/extend", json={"seeds": 3, "arms": [{"method": "dropkey", "rate": 0.1}]})
    assert answer.status_code == 202
    body = answer.json()
    assert body["counts"]["succeeded"] == 4
    assert body["counts"]["queued"] == 5
    assert [arm["id"] for arm in body["arms"]][:2] == [arm["id"] for arm in made["arms"]]
    assert body["spec"]["seeds"] == 3
    runs = client.get(f"{path}/runs").json()["items"]
    new = [(run["seed"], run["method"]) for run in runs[4:]]
    assert new == [(0, "dropkey"), (1, "dropkey"), (2, "none"), (2, "hiddenkey"), (2, "dropkey")]


def _refused(client: TestClient, path: str, body: dict[str, Any]) -> dict[str, str]:
    answer = client.post(path, json=body)
    assert answer.status_code == 422, answer.text
    return {error["pointer"]: error["detail"] for error in answer.json()["errors"]}


def test_an_extension_is_refused_where_it_adds_nothing_or_shrinks(client: TestClient) -> None:
    path = f"{API}/studies/{post(client)['id']}/extend"
    assert "2 seeds already" in _refused(client, path, {"seeds": 1})["/seeds"]
    assert "all of these" in _refused(client, path, {"seeds": 2})["/seeds"]
    assert "the same as" in _refused(client, path, {"arms": [{"method": "none"}]})["/arms/0"]
    assert "/arms/0/rate" in _refused(client, path, {"arms": [{"method": "dropkey", "rate": 2}]})
    assert _rows(client)[1:3] == (2, 4)


def test_progress_and_eta_follow_the_steps(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client)
    assert (made["progress"], made["eta_seconds"]) == (0.0, None)
    train(database, settings.home, packs=1)
    half = client.get(f"{API}/studies/{made['id']}").json()
    assert 0 < half["progress"] < 1
    assert half["eta_seconds"] > 0
    train(database, settings.home)
    done = client.get(f"{API}/studies/{made['id']}").json()
    assert (done["progress"], done["eta_seconds"], done["queue_position"]) == (1.0, 0.0, None)


def test_a_later_study_stands_behind_an_earlier_one(client: TestClient) -> None:
    post(client)
    later = post(client, name="later")
    assert later["queue_position"] == 4
    ahead = client.patch(f"{API}/studies/{later['id']}", json={"priority": 1}).json()
    assert ahead["queue_position"] == 0


def test_every_run_has_the_steps_of_its_own_arm_also_those_that_come_later(sqlite_client: TestClient) -> None:
    """64 rows, 16 a step: 8 steps of two epochs, 4 of one; progress is a share of each run's own."""
    made = post(sqlite_client, arms=[{"method": "none"}, {"method": "none", "epochs": 1}])
    assert _steps(sqlite_client, made["id"]) == {("No dropout · 2 epochs", 8), ("No dropout · 1 epoch", 4)}
    more = {"seeds": 3, "arms": [{"method": "none", "label": "long", "epochs": 5}]}
    assert sqlite_client.post(f"{API}/studies/{made['id']}/extend", json=more).status_code == 202
    assert _steps(sqlite_client, made["id"]) == {
        ("No dropout · 2 epochs", 8),
        ("No dropout · 1 epoch", 4),
        ("long", 20),
    }


def _steps(client: TestClient, study_id: str) -> set[tuple[str, int]]:
    items = client.get(f"{API}/studies/{study_id}/runs").json()["items"]
    return {(run["arm_label"], run["total_steps"]) for run in items}
