"""The server form for real: the services of docker-compose.yml as processes, a team, a study, a worker that dies."""

import csv
import io
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg
import pytest
import redis

from backend.client import Dropscope
from backend.shared.metrics import recorded
from tests.e2e.stack import STUDY, start
from tests.team.compose import ADDRESSES, Outside
from tests.team.people import API, PASSWORD

pytestmark = [pytest.mark.slow, pytest.mark.postgres, pytest.mark.timeout(900)]
DETERMINISTIC = [metric.name for metric in recorded() if metric.deterministic]
SMALL = {**STUDY, "arms": STUDY["arms"][:3], "seeds": 2, "training": {**STUDY["training"], "epochs": 4}}
SECRETS = {"DROPSCOPE_POSTGRES_PASSWORD": "canary4postgres", "DROPSCOPE_REDIS_PASSWORD": "canary4redis"}
QUICK = {
    "DROPSCOPE_LEASE_S": "5",
    "DROPSCOPE_HEARTBEAT_S": "0.5",
    "DROPSCOPE_REAPER_S": "0.5",
    "DROPSCOPE_DISK_FLOOR_BYTES": "0",
    "OMP_NUM_THREADS": "1",
}


@pytest.fixture(scope="module")
def server() -> Iterator[Outside]:
    """Postgres, Valkey, the API and two workers, each healthy by its own check."""
    folder = Path(tempfile.mkdtemp(prefix="ds-"))
    outside = Outside(folder, {**SECRETS, "DROPSCOPE_DOMAIN": ADDRESSES["api"]}, QUICK)
    try:
        for service, name in (
            ("postgres", None),
            ("redis", None),
            ("api", None),
            ("worker", "worker-a"),
            ("worker", "worker-b"),
        ):
            outside.start(service, name)
            if service != "worker":
                outside.wait_healthy(service, name)
        for name in ("worker-a", "worker-b"):
            outside.wait_healthy("worker", name)
        yield outside
    finally:
        outside.close()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="module")
def token(server: Outside) -> str:
    """A member's token: set-up link from the log, admin, invitation, member, token."""
    link = server.log("api").read_text().partition("with this link: ")[2].split()[0]
    url, _, secret = link.partition("/setup#")
    with httpx.Client(base_url=f"{url}{API}", headers={"Origin": url}, timeout=30) as http:
        new = {"secret": secret, "email": "ada@example.org", "name": "Ada", "password": PASSWORD}
        assert http.post("/auth/setup", json=new).status_code == 200
        invitation = http.post("/invitations", json={"role": "member"}).json()["secret"]
        http.cookies.clear()
        joined = http.post("/invitations/accept", json={**new, "secret": invitation, "email": "grace@example.org"})
        assert joined.json()["role"] == "member"
        made = http.post("/tokens", json={"name": "the test", "scope": "run"})
        assert made.status_code == 201, made.text
        return str(made.json()["token"])


def outcome(url: str, token: str | None, study_id: str) -> tuple[dict[Any, Any], dict[Any, Any]]:
    """All deterministic numbers by (arm, seed, step), and the SHA-256 of each run's files by (arm, seed)."""
    with Dropscope(url, token) as client:
        rows, runs = csv.DictReader(io.StringIO(client.studies.export_csv(study_id))), client.studies.runs(study_id)
    numbers = {(row["arm"], row["seed"], row["step"]): [row[name] for name in DETERMINISTIC] for row in rows}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    adapters = {}
    for run in runs:
        found = httpx.get(f"{url}{API}/runs/{run['id']}/artifacts", headers=headers, timeout=30).json()["items"]
        adapters[run["arm_label"], run["seed"]] = {
            (one["kind"], file["name"]): file["sha256"]
            for one in found
            for file in one["files"]
            if "safetensors" in file["name"]
        }
    return numbers, adapters


def _training_worker(server: Outside, client: Dropscope, study_id: str) -> tuple[str, psutil.Process]:
    """The name of the worker whose run is in its middle, and its trainer."""
    end = time.monotonic() + 180
    while time.monotonic() < end:
        if any(run["status"] == "running" and run["step"] >= 2 for run in client.studies.runs(study_id)):
            for name in ("worker-a", "worker-b"):
                for child in psutil.Process(server.processes[name].pid).children(recursive=True):
                    if "worker.trainer" in " ".join(child.cmdline()) and child.cpu_percent(0.2) > 5:
                        return name, child
        time.sleep(0.05)
    raise AssertionError("no worker was seen in mid-run")


def test_a_study_outlives_a_worker_and_equals_the_embedded_run(server: Outside, token: str) -> None:
    url = f"http://{ADDRESSES['api']}:{server.ports['api']}"
    with Dropscope(url, token) as client:
        study_id = client.studies.create(SMALL)["id"]
        name, trainer = _training_worker(server, client, study_id)
        environment = Path(f"/proc/{trainer.pid}/environ").read_bytes().decode()
        assert not [secret for secret in (*SECRETS.values(), token) if secret in environment]
        for child in psutil.Process(server.processes[name].pid).children(recursive=True):
            child.send_signal(signal.SIGKILL)
        os.killpg(server.processes[name].pid, signal.SIGKILL)
        study = client.studies.wait(study_id)
        assert study["counts"]["succeeded"] == study["counts"]["total"] == 6, study["counts"]
        attempts = [client.runs.get(run["id"])["attempts"] for run in client.studies.runs(study_id)]
    assert sum(attempt["end"] == "lost" for tried in attempts for attempt in tried) >= 1
    assert not server.is_healthy("worker", name) or len(server.processes) > 3  # the other one still says it is alive
    assert list((server.folder / "shared" / "artifacts").iterdir())
    for instance in ("worker-a", "worker-b"):
        assert not (server.folder / f"home-{instance}" / "dropscope.db").exists()

    home = Path(tempfile.mkdtemp(prefix="dropscope-"))
    os.environ["DROPSCOPE_WORKERS"] = "2"
    try:
        embedded = start(home)
        try:
            with Dropscope(embedded.url) as client:
                own = client.studies.wait(client.studies.create(SMALL)["id"])
            assert outcome(url, token, study_id) == outcome(embedded.url, None, own["id"])
        finally:
            embedded.process.send_signal(signal.SIGINT)
            embedded.process.wait(30)
    finally:
        del os.environ["DROPSCOPE_WORKERS"]
        shutil.rmtree(home, ignore_errors=True)


def test_every_door_is_locked(server: Outside, token: str) -> None:
    address = f"{ADDRESSES['api']}:{server.ports['api']}"
    assert httpx.get(f"http://{address}{API}/studies").status_code == 401
    assert httpx.get(f"http://{address}/readyz", headers={"Host": "evil.example"}).status_code == 403
    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(ADDRESSES["redis"], server.ports["redis"]).ping()
    with pytest.raises(psycopg.OperationalError, match="password"):
        psycopg.connect(
            host=ADDRESSES["postgres"],
            port=server.ports["postgres"],
            user="dropscope",
            password="wrong",
            dbname="dropscope",
        )
    said = server.log("api").read_text()
    assert "dropscope.access" in said
    assert not [secret for secret in (*SECRETS.values(), token, PASSWORD) if secret in said]
