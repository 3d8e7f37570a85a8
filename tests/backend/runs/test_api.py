"""Single runs over REST: measurements with NaN, thinning, logs, events, artifacts, cancel and retry."""

import io
import json
import math
import zipfile
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from backend.adapters import artifact_files
from backend.shared.database import Database
from backend.shared.errors import NotFound
from backend.shared.process import this_process
from backend.shared.run_status import FailureCode
from backend.shared.series import keep
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, records, workers
from backend.shared.tables import Artifact, Run
from backend.shared.trainer_protocol import Evaluation, Steps
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, train, validation_loss
from tests.files import flip_a_bit


@pytest.fixture
def trained(client: TestClient, database: Database, settings: Settings) -> str:
    """Id of a finished run."""
    post(client, seeds=1)
    return train(database, settings.home)[0]


def test_measurements_come_as_columns_with_nan_as_null_and_kind(client: TestClient, trained: str) -> None:
    answer = client.get(f"{API}/runs/{trained}/metrics")
    assert answer.status_code == 200
    body = answer.json()
    assert body["steps"] == [2, 4, 6, 8]
    series = {found["name"]: found for found in body["series"]}
    assert series["validation/loss"]["values"] == [validation_loss(0, 0, step) for step in (2, 4, 6, 8)]
    assert series["probe/accuracy"]["values"] == [None] * 4
    assert series["train/seconds"]["deterministic"] is False
    losses = body["train_loss"]
    assert losses["steps"] == list(range(1, 9))
    assert losses["values"][4] is None
    assert losses["nonfinite"] == {"4": "nan"}
    assert losses["values"][3] == 0.25


def test_chosen_measurements_and_steps(client: TestClient, trained: str) -> None:
    query = {"names": ["probe/loss", "train/loss_by_step"], "first_step": 3, "last_step": 6}
    body = client.get(f"{API}/runs/{trained}/metrics", params=query).json()
    assert [found["name"] for found in body["series"]] == ["probe/loss"]
    assert body["steps"] == [4, 6]
    assert body["train_loss"]["steps"] == [3, 4, 5, 6]


def test_a_run_that_diverges_is_answered_and_drawn(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client, seeds=2)
    train(database, settings.home, loss=lambda seed, arm, step: math.inf if arm == 1 and step > 4 else 0.5)
    for path in ("comparison", "figures/losses", "figures/gap", "export.csv", "runs"):
        assert client.get(f"{API}/studies/{made['id']}/{path}").status_code == 200, path
    run = client.get(f"{API}/studies/{made['id']}/runs").json()["items"][1]["id"]
    series = client.get(f"{API}/runs/{run}/metrics?names=validation/loss").json()["series"][0]
    assert series["values"] == [0.5, 0.5, None, None]
    assert series["nonfinite"] == {"2": "inf", "3": "inf"}


@given(st.lists(st.floats(), max_size=300), st.integers(10, 60))
def test_thinning_keeps_every_peak(values: list[float], points: int) -> None:
    kept = keep(values, points)
    assert kept == sorted(set(kept))
    assert len(kept) <= points * 2
    finite = [value for value in values if math.isfinite(value)]
    if finite:
        shown = [values[i] for i in kept if math.isfinite(values[i])]
        assert (min(shown), max(shown)) == (min(finite), max(finite))
    assert any(math.isnan(value) for value in values) == any(math.isnan(values[i]) for i in kept) or any(
        math.isinf(values[i]) for i in kept
    )
    if values:
        assert kept[0] == 0
        assert kept[-1] == len(values) - 1


def test_long_runs_are_thinned_unless_all_is_asked_for(client: TestClient, database: Database) -> None:
    post(client, seeds=1)
    with database.write() as session:
        worker = workers.register(session, this_process(), "cpu", "test")
        pack = queue.claim_pack(session, worker, 1, 30)
        assert pack is not None
        (run,) = pack.runs
        own = {"run_id": run.run_id, "fence": run.fence}
        losses = tuple(9.0 if step == 1234 else 1.0 for step in range(1, 5001))
        told: list[records.Recorded] = [Steps(**own, first_step=1, losses=losses, seconds_per_step=0.01)]
        told += [Evaluation(**own, step=10 * i, epoch=i, values={"probe/loss": 1.0}) for i in range(1, 501)]
        records.record(session, told)
    path = f"{API}/runs/{run.run_id}/metrics"
    thin = client.get(path, params={"max_points": 100}).json()
    assert thin["train_loss"]["thinned"] is True
    assert thin["thinned"] is True
    assert thin["train_loss"]["total_points"] == 5000
    assert len(thin["train_loss"]["steps"]) <= 110
    assert 1234 in thin["train_loss"]["steps"]
    full = client.get(path, params={"full": True}).json()
    assert (len(full["train_loss"]["steps"]), len(full["steps"]), full["thinned"]) == (5000, 500, False)


def test_logs_events_and_attempts(client: TestClient, trained: str) -> None:
    assert [line["text"] for line in client.get(f"{API}/runs/{trained}/logs").json()["items"]] == ["trained"]
    first = client.get(f"{API}/runs/{trained}/events", params={"limit": 2}).json()
    rest = client.get(f"{API}/runs/{trained}/events", params={"cursor": first["next_cursor"]}).json()
    numbers = [event["seq"] for event in first["items"] + rest["items"]]
    assert numbers == sorted(set(numbers))
    assert [event["data"].get("status") for event in first["items"]] == ["running", "running"]
    run = client.get(f"{API}/runs/{trained}").json()
    assert run["status"] == "succeeded"
    assert run["spec"]["seed"] == 0
    assert run["record"]["hooks"] == [{"position": "hidden", "layers": [3, 4, 5]}]
    assert [attempt["end"] for attempt in run["attempts"]] == ["succeeded"]


def test_an_adapter_is_downloaded_as_a_zip_or_file_by_file(client: TestClient, trained: str) -> None:
    (artifact,) = client.get(f"{API}/runs/{trained}/artifacts").json()["items"]
    assert "storage" not in str(artifact)
    path = f"{API}/artifacts/{artifact['id']}/download"
    answer = client.get(path)
    assert answer.headers["Content-Disposition"].startswith("attachment")
    with zipfile.ZipFile(io.BytesIO(answer.content)) as found:
        assert found.testzip() is None
        assert found.namelist() == [
            "adapter_config.json",
            "adapter_model.safetensors",
            "README.md",
            "reproduce.yaml",
            "environment.json",
        ]
        assert found.read("adapter_model.safetensors") == trained.encode() * 1000
        assert b"- this run: not measured in fp32" in found.read("README.md")
    one = client.get(path, params={"file": "adapter_config.json"})
    assert one.content == b"{}"
    assert one.headers["Content-Disposition"].startswith("attachment")


def test_of_two_adapters_each_says_where_in_the_run_it_stands(
    client: TestClient, database: Database, trained: str
) -> None:
    """The one of the best evaluation is held against its own loss in fp32, the last one against the last."""
    with database.write() as session:
        run, artifact = (
            session.get_one(Run, trained),
            session.scalars(select(Artifact).where(Artifact.run_id == trained)).one(),
        )
        run.final = {"validation/loss_fp32": 0.75, "validation_stopped/loss_fp32": 0.625}
        artifact.step, artifact.clocks = 8, ["last"]
        twin = {"run_id": trained, "storage_key": artifact.storage_key, "files": artifact.files, "bytes": 1}
        session.add(Artifact(id="artifact_kept", kind="adapter_stopped", step=5, clocks=["stopped"], **twin))
    found = {one["kind"]: one for one in client.get(f"{API}/runs/{trained}/artifacts").json()["items"]}
    assert (found["adapter"]["step"], found["adapter"]["clocks"]) == (8, ["last"])
    assert (found["adapter_stopped"]["step"], found["adapter_stopped"]["clocks"]) == (5, ["stopped"])
    cards = {}
    for kind, one in found.items():
        answer = client.get(f"{API}/artifacts/{one['id']}/download")
        assert f'filename="{kind}-{trained}.zip"' in answer.headers["Content-Disposition"]
        with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
            cards[kind] = archive.read("README.md").decode()
            assert json.loads(archive.read("environment.json"))["step"] == one["step"]
    assert "the adapter of the last step, 8." in cards["adapter"]
    assert "this run: validation loss 0.75" in cards["adapter"]
    assert "the adapter of step 5 of 8, the evaluation with the best validation loss" in cards["adapter_stopped"]
    assert "this run: validation loss 0.625" in cards["adapter_stopped"]


def test_a_damaged_adapter_is_not_given_away(client: TestClient, settings: Settings, trained: str) -> None:
    """One flipped bit: neither alone, nor in the zip, nor as something to start from."""
    artifact = client.get(f"/api/v1/runs/{trained}/artifacts").json()["items"][0]["id"]
    name = "adapter_model.safetensors"
    flip_a_bit(settings.artifacts / "runs" / trained / "adapter" / name)
    path = f"/api/v1/artifacts/{artifact}/download"
    answers = [
        client.get(path, params={"file": name}),
        client.get(path),
        client.post("/api/v1/adapters", json={"artifact_id": artifact, "model": "minilm-l6"}),
    ]
    assert [answer.status_code for answer in answers] == [409] * 3
    assert all("not those that the run wrote" in answer.json()["detail"] for answer in answers)
    assert client.get(path, params={"file": "adapter_config.json"}).status_code == 200


ESCAPES = [
    "../secret",
    "..%2fsecret",
    "%2e%2e/secret",
    "..\\secret",
    "/etc/passwd",
    "adapter/../../secret",
    ".",
    "",
    "a\0b",
]


def test_no_name_leads_out_of_an_artifact(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    post(sqlite_client, seeds=1)
    database = inside(sqlite_client).database
    run_id = train(database, sqlite_settings.home, packs=1)[0]
    (sqlite_settings.home / "artifacts" / "secret").write_text("betrayed")
    (artifact,) = sqlite_client.get(f"{API}/runs/{run_id}/artifacts").json()["items"]
    for name in ESCAPES:
        answer = sqlite_client.get(f"{API}/artifacts/{artifact['id']}/download", params={"file": name})
        assert answer.status_code in (404, 422), name
        assert b"betrayed" not in answer.content


def test_no_key_or_link_leads_out_of_the_artifacts(
    client: TestClient, database: Database, settings: Settings, trained: str, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    (artifact,) = client.get(f"{API}/runs/{trained}/artifacts").json()["items"]
    path = f"{API}/artifacts/{artifact['id']}/download"
    folder = settings.home / "artifacts" / "runs" / trained / "adapter"
    (folder / "adapter_config.json").unlink()
    (folder / "adapter_config.json").symlink_to(tmp_path / "secret")
    assert client.get(path).status_code == 404
    assert client.get(path, params={"file": "adapter_config.json"}).status_code == 404
    for key in ("../../..", str(tmp_path), "runs/../../..", "."):
        with database.write() as session:
            session.get_one(Artifact, artifact["id"]).storage_key = key
        assert client.get(path).status_code == 404, key
    with pytest.raises(NotFound):
        artifact_files.folder(settings.artifacts, "/etc")


def test_cancel_and_retry_follow_the_status(client: TestClient, database: Database) -> None:
    run = client.get(f"{API}/studies/{post(client)['id']}/runs").json()["items"][0]["id"]
    assert client.post(f"{API}/runs/{run}/retry").status_code == 409
    assert client.post(f"{API}/runs/{run}/cancel").json()["status"] == "cancelled"
    refused = client.post(f"{API}/runs/{run}/cancel")
    assert (refused.status_code, refused.json()["code"]) == (409, "conflict")
    assert client.post(f"{API}/runs/{run}/retry").json()["status"] == "queued"
    with database.write() as session:
        worker = workers.register(session, this_process(), "cpu", "test")
        pack = queue.claim_pack(session, worker, 1, 30)
        assert pack is not None
        (claimed,) = pack.runs
        endings.fail(session, claimed.run_id, claimed.fence, FailureCode.LOSS_NAN, "the loss was not a number")
    failed = client.get(f"{API}/runs/{claimed.run_id}").json()
    assert (failed["status"], failed["failure_code"]) == ("failed", "loss_nan")
    assert failed["message"] == "the loss was not a number"
    assert client.post(f"{API}/runs/{claimed.run_id}/retry").json()["failure_code"] is None
