"""The service around its routes: health, Prometheus, catalogue, the page, the doorbell."""

import json
import re
import socket
import tempfile
import time
from datetime import timedelta
from pathlib import Path

import pytest
import yaml
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import SecretStr
from redis import Redis
from sqlalchemy import text, update

from backend.edge import problems
from backend.edge.page import SinglePage
from backend.embedded import valkey
from backend.queue.doorbell import Doorbell
from backend.shared.database import Database
from backend.shared.doorbell import LOOK, QUEUE
from backend.shared.process import this_process
from backend.shared.run_status import FailureCode
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, workers
from backend.shared.tables import Run, StudyEvent, now
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, train


def test_ready_means_the_newest_migration(client: TestClient, database: Database) -> None:
    assert client.get("/healthz").json()["status"] == "ok"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.json()["checks"]["migrations"]) == (200, "ok")
    with database.write() as session:
        session.execute(text("UPDATE alembic_version SET version_num = '0000'"))
    behind = client.get("/readyz")
    assert behind.status_code == 503
    assert "0000" in behind.json()["checks"]["migrations"]
    assert client.get("/healthz").status_code == 200


def test_a_database_that_is_away_is_told_and_not_a_500(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    database = inside(sqlite_client).database
    database.engine.dispose()
    for name in ("dropscope.db", "dropscope.db-wal", "dropscope.db-shm"):
        (sqlite_settings.home / name).unlink(missing_ok=True)
    sqlite_settings.home.chmod(0o500)
    ready = sqlite_client.get("/readyz")
    sqlite_settings.home.chmod(0o700)
    assert ready.status_code == 503


def test_prometheus_counts_runs_and_workers(client: TestClient, database: Database, settings: Settings) -> None:
    post(client)
    train(database, settings.home, packs=1)
    lines = client.get("/metrics").text.splitlines()
    assert 'dropscope_runs{status="succeeded"} 2.0' in lines
    assert 'dropscope_runs{status="queued"} 2.0' in lines
    assert "dropscope_workers 1.0" in lines
    assert any(line.startswith("dropscope_doorbell_rings_total") for line in lines)
    assert 'dropscope_request_seconds_count{operation="studies_create",status="202"} 1.0' in lines
    assert 'dropscope_attempts_total{end="succeeded"} 2.0' in lines
    assert "dropscope_queue_depth 2.0" in lines
    assert "dropscope_lease_renewals_total 2.0" in lines
    assert not any(line.startswith("python_") for line in lines)


def test_the_age_of_the_queue_begins_anew_with_a_retry(client: TestClient, database: Database) -> None:
    def oldest() -> float:
        lines = client.get("/metrics").text.splitlines()
        return float(next(line for line in lines if line.startswith("dropscope_queue_oldest_seconds ")).split()[1])

    def age(hours: int) -> None:
        past = now() - timedelta(hours=hours)
        with database.write() as session:
            session.execute(update(Run).values(created_at=past))
            session.execute(update(StudyEvent).values(at=past))

    assert oldest() == 0
    study_id = post(client, seeds=1, arms=[{"method": "none"}])["id"]
    age(hours=2)
    assert 7200 <= oldest() < 7300
    with database.write() as session:
        worker_id = workers.register(session, this_process(), "cpu", "0")
        pack = queue.claim_pack(session, worker_id, 12, 30)
        assert pack is not None
        endings.fail(session, pack.runs[0].run_id, pack.runs[0].fence, FailureCode.INTERNAL, "no")
    age(hours=1)
    assert oldest() == 0
    assert client.post(f"{API}/studies/{study_id}/retry").json() == {"queued": 1}
    assert oldest() < 60


def test_every_alert_speaks_of_metrics_that_exist(client: TestClient) -> None:
    rules = yaml.safe_load((Path(__file__).parents[3] / "docs" / "alerts.yml").read_text())["groups"][0]["rules"]
    exposed = {line.split("{")[0].split(" ")[0] for line in client.get("/metrics").text.splitlines() if line[0] != "#"}
    for rule in rules:
        named = set(re.findall(r"dropscope_\w+", rule["expr"]))
        assert named, rule["alert"]
        assert named <= exposed | {"dropscope_up"}, rule["alert"]
        assert rule["annotations"]["summary"]


def test_what_can_be_asked_for(client: TestClient) -> None:
    methods = client.get(f"{API}/methods").json()
    presets = {preset["name"]: preset for preset in methods["presets"]}
    assert presets["hiddenkey"]["default_rate"] == 0.1
    assert presets["none"]["default_rate"] is None
    cells = {(cell["position"], cell["structure"]): cell for cell in methods["cells"]}
    assert len(cells) == 21
    assert cells["output", "span"]["valid"] is False
    assert cells["output", "span"]["reason"]
    assert "kl" in {kind["name"] for kind in methods["consistencies"]}
    assert "minilm-l6" in {model["id"] for model in client.get(f"{API}/models").json()["items"]}
    assert "rotten-tomatoes" in {found["id"] for found in client.get(f"{API}/datasets").json()["items"]}
    assert client.get(f"{API}/me").json()["role"] == "admin"


def test_workers_are_shown_with_their_runs(client: TestClient, database: Database, settings: Settings) -> None:
    post(client)
    running = train(database, settings.home, packs=1, finish=False)
    body = client.get(f"{API}/workers").json()
    (worker,) = body["items"]
    assert (worker["alive"], worker["busy"], worker["runs"]) == (True, True, running)
    assert body["queued_runs"] == 4 - len(running)


def _with_page(folder: Path) -> TestClient:
    app = FastAPI()
    problems.install(app)
    app.add_middleware(SinglePage, folder=folder)

    @app.get("/api/v1/me")
    def me() -> dict[str, str]:
        return {"user_id": "local"}

    return TestClient(app)


def test_the_page_answers_every_address_but_the_api(tmp_path: Path) -> None:
    (tmp_path / "assets").mkdir()
    (tmp_path / "index.html").write_text("<title>Dropscope</title>")
    (tmp_path / "assets" / "app.js").write_text("1")
    client = _with_page(tmp_path)
    browser = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    assert "Dropscope" in client.get("/", headers=browser).text
    assert "Dropscope" in client.get("/studies/study_1", headers=browser).text
    assert client.get("/assets/app.js").text == "1"
    assert client.get("/assets/none.js").status_code == 404
    (tmp_path.parent / "secret").write_text("betrayed")
    for path in ("/../secret", "/%2e%2e/secret", "/assets/..%2f..%2fsecret", "/%00", "//etc/passwd"):
        assert "betrayed" not in client.get(path, headers=browser).text
    assert client.get("/assets/app.js").headers["Cache-Control"].endswith("immutable")
    assert client.get("/").headers["Cache-Control"] == "no-cache"
    assert client.post("/").status_code == 404
    assert client.put("/api/v1/me").status_code == 405
    assert client.get("/api/v1/me").json() == {"user_id": "local"}
    unknown = client.get("/api/v1/nothing", headers=browser)
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_a_page_that_is_not_built_says_how(tmp_path: Path) -> None:
    answer = _with_page(tmp_path).get("/")
    assert answer.status_code == 503
    assert "npm run build" in answer.text


def _wait(condition: object, seconds: float = 8.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if callable(condition) and condition():
            return True
        time.sleep(0.02)
    return False


def test_a_ring_reaches_the_broker_and_many_are_few(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="dsv") as short:  # a unix socket's path has about 100 bytes
        path = Path(short) / "valkey.sock"
        broker = valkey.start(path, tmp_path / "valkey", tmp_path / "valkey.log")
        try:
            bell = Doorbell(Settings(home=tmp_path, broker_url=SecretStr(f"redis+socket://{path}")))
            for _ in range(50):
                bell.ring()
            assert _wait(lambda: bell.rung >= 1)
            bell.close()
            with Redis(unix_socket_path=str(path)) as client:
                waiting = client.lrange(QUEUE, 0, -1)
            assert len(waiting) == bell.rung == 1
            assert json.loads(waiting[0])["headers"]["task"] == LOOK
        finally:
            broker.ask_to_stop()
            broker.wait(5)


@pytest.mark.parametrize(
    "hangs",
    [pytest.param(False, id="nobody listens"), pytest.param(True, id="nobody answers", marks=pytest.mark.slow)],
)
def test_a_broker_that_is_away_delays_nobody(tmp_path: Path, hangs: bool) -> None:
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        if hangs:
            listening.listen(1)
        url = f"redis://127.0.0.1:{listening.getsockname()[1]}/0"
        bell = Doorbell(Settings(home=tmp_path, broker_url=SecretStr(url)))
        started = time.monotonic()
        for _ in range(50):
            bell.ring()
        assert time.monotonic() - started < 0.5
        assert _wait(lambda: bell.failed >= 1)
        bell.close()
        assert bell.rung == 0
        assert bell.failed <= 3  # fifty wishes are one or two rings
