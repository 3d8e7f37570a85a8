"""Whatever is typed or sent, the answer is a problem that names the place and the remedy, and never a 500."""

import json
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import func, select

from backend.edge.body_cap import BodyCap
from backend.shared.tables import Study
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, study

FIELDS = {"type", "title", "status", "detail", "instance", "code", "request_id", "errors"}


def _arm(**arm: Any) -> dict[str, Any]:
    return study(arms=[{"method": "none"}, arm])


BAD_STUDIES: list[tuple[str, dict[str, Any], str, str]] = [
    ("unknown model", study(model="minilm"), "/model", "minilm-l6"),
    ("unknown data", study(dataset="rotten"), "/dataset", "rotten-tomatoes"),
    ("unknown method", _arm(method="hiddenkeys"), "/arms/1/method", "hiddenkey"),
    ("unknown key", study(seed=3), "/seed", "seeds"),
    ("unknown key of an arm", _arm(method="dropkey", rates=0.1), "/arms/1/rates", "rate"),
    ("unknown key of lora", study(lora={"aplha": 3}), "/lora/aplha", "alpha"),
    ("rate of one", _arm(method="dropkey", rate=1), "/arms/1/rate", "below 1"),
    ("negative rate", _arm(method="dropkey", rate=[0.1, -0.1]), "/arms/1/rate/1", "at least 0"),
    ("rate in words", _arm(method="dropkey", rate="high"), "/arms/1/rate", "number"),
    ("rates without end", _arm(method="dropkey", rate=[0.1] * 65), "/arms/1/rate", "64"),
    ("a word among rates", _arm(method="dropkey", rate=[0.1, "high"]), "/arms/1/rate/1", "number"),
    ("rate without sites", _arm(method="none", rate=0.1), "/arms/1/rate", "no rate"),
    (
        "a cell that does not exist",
        _arm(sites=[{"position": "output", "structure": "span", "rate": 0.1}]),
        "/arms/1/sites/0/structure",
        "head",
    ),
    (
        "unknown position",
        _arm(sites=[{"position": "head", "structure": "element", "rate": 0.1}]),
        "/arms/1/sites/0/position",
        "hidden",
    ),
    ("method and sites", _arm(method="none", sites=[]), "/arms/1", "one of the two"),
    ("consistency alone", _arm(method="none", consistency={"kind": "kl"}), "/arms/1/consistency/kind", "site"),
    ("unknown consistency", _arm(method="dropkey", consistency={"kind": "l2"}), "/arms/1/consistency/kind", "js"),
    ("modules that match nothing", study(lora={"target_modules": ["qproj"]}), "/lora/target_modules", "query"),
    ("too many rows", study(train_rows=10**7), "/train_rows", "3,"),
    ("no seeds", study(seeds=0), "/seeds", "1"),
    ("too many seeds", study(seeds=65), "/seeds", "64"),
    (
        "too many runs",
        study(seeds=64, arms=[{"method": "dropkey", "rate": [i / 100 for i in range(40)]}]),
        "/arms",
        "2,000",
    ),
    (
        "an explosion of axes",
        _arm(method="dropkey", rate=[0.1] * 64, rank=[8] * 64, alpha=[8] * 64, learning_rate=[0.1] * 64),
        "/arms",
        "2,000",
    ),
    ("the same arm twice", study(arms=[{"method": "none"}, {"method": "none"}]), "/arms/1", "same"),
    ("unknown baseline", study(baseline="nobody"), "/baseline", "No dropout"),
    ("text too long for the model", study(training={"max_length": 4000}), "/training/max_length", "512"),
    ("patience without looks", study(training={"patience": 7}), "/training/patience", "needs patience + 2 evaluations"),
    ("patience of none", study(training={"patience": 0}), "/training/patience", "1"),
    ("a least gain of nobody", study(training={"min_delta": 0.1}), "/training/min_delta", "set patience"),
    (
        "a least gain beyond the score",
        study(training={"patience": 2, "min_delta": 1, "keep_by": "score"}),
        "/training/min_delta",
        "0.01 is one point",
    ),
    ("a negative gain", study(training={"patience": 2, "min_delta": -0.1}), "/training/min_delta", "0"),
    ("kept by an unknown", study(training={"keep_by": "f1"}), "/training/keep_by", "score"),
    ("kept what", study(training={"keep": "all"}), "/training/keep", "both"),
    ("wrong task", study(task="causal_lm"), "/task", "classification"),
    ("rank out of range", _arm(method="dropkey", rank=[8, 0]), "/arms/1/rank/1", "512"),
    ("learning rate of nothing", _arm(method="dropkey", learning_rate=0), "/arms/1/learning_rate", "above 0"),
    ("epochs of nothing", _arm(method="none", epochs=[4, 0]), "/arms/1/epochs/1", "above 0"),
    ("epochs without end", _arm(method="none", epochs=1001), "/arms/1/epochs", "up to 1000"),
    ("all of a label smoothed away", _arm(method="none", label_smoothing=1), "/arms/1/label_smoothing", "0.1 is usual"),
    ("smoothing below nothing", study(training={"label_smoothing": -0.1}), "/training/label_smoothing", "0"),
    (
        "too short to be patient",
        study(training={"epochs": 8, "patience": 3}, arms=[{"method": "none"}, {"method": "none", "epochs": 1}]),
        "/arms/1/epochs",
        "a run of 4 steps is evaluated 4 times",
    ),
    ("no arms", study(arms=[]), "/arms", "1"),
    ("empty name", study(name=""), "/name", "1"),
    ("NUL in a name", study(name="a\0b"), "/name", "NUL"),
    (
        "NUL deep inside",
        _arm(sites=[{"position": "hid\0den", "structure": "element", "rate": 0.1}]),
        "/arms/1/sites/0/position",
        "NUL",
    ),
    ("no name", {k: v for k, v in study().items() if k != "name"}, "/name", "required"),
    ("name of a wrong type", study(name=7), "/name", "string"),
]


def _studies(client: TestClient) -> int:
    with inside(client).database.read() as session:
        return session.scalar(select(func.count()).select_from(Study)) or 0


@pytest.mark.parametrize(
    ("body", "pointer", "hint"), [case[1:] for case in BAD_STUDIES], ids=[c[0] for c in BAD_STUDIES]
)
def test_a_bad_study_is_refused_at_its_place(
    quiet_client: TestClient, body: dict[str, Any], pointer: str, hint: str
) -> None:
    answer = quiet_client.post(f"{API}/studies", json=body)
    assert answer.status_code == 422, answer.text
    found = answer.json()
    assert set(found) == FIELDS
    assert answer.headers["content-type"] == "application/problem+json"
    details = {error["pointer"]: error["detail"] for error in found["errors"]}
    assert pointer in details, details
    assert hint in details[pointer]
    assert "Traceback" not in answer.text
    assert _studies(quiet_client) == 0


RAW: list[tuple[str, bytes, int, str]] = [
    ("not JSON", b'{"name": ', 422, "invalid_json"),
    ("YAML", b"name: x\nmodel: y\n", 422, "invalid_json"),
    ("nothing", b"", 422, "invalid_input"),
    ("a list", b"[]", 422, "invalid_input"),
    ("null", b"null", 422, "invalid_input"),
    ("not UTF-8", b'{"name": "\xff\xfe"}', 422, "invalid_json"),
    ("a lone surrogate", json.dumps(study(name="\ud800")).encode(), 422, "invalid_input"),
    ("a lone surrogate as a key", b'{"\\ud800": 1}', 422, "invalid_input"),
    ("NaN", b'{"name": NaN}', 422, "invalid_input"),
    ("a number beyond all", b'{"seeds": 1e999}', 422, "invalid_input"),
    ("an integer of 5,000 digits", b'{"seeds": ' + b"9" * 5000 + b"}", 422, "invalid_json"),
    ("very deep", b"[" * 40_000 + b"]" * 40_000, 422, "invalid_json"),
    ("deep", b'{"arms": ' + b"[" * 200 + b"]" * 200 + b"}", 422, "invalid_input"),
    ("too large", b" " * ((512 << 10) + 1), 413, "too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), [case[1:] for case in RAW], ids=[case[0] for case in RAW])
def test_a_raw_body_is_answered_as_a_problem(quiet_client: TestClient, body: bytes, status: int, code: str) -> None:
    answer = quiet_client.post(f"{API}/studies", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.text
    assert set(answer.json()) == FIELDS


@pytest.mark.parametrize(
    ("twice", "pointer"),
    [
        (('"seeds": 3', '"seeds": 3, "seeds": 5'), "/seeds"),
        (('"method": "none"', '"method": "none", "rank": 4, "rank": 4'), "/arms/0/rank"),
        (('"seeds": 3', '"seeds": 3, "lora": {"rank": 4, "al/pha": 1, "al/pha": 2}'), "/lora/al~1pha"),
    ],
)
def test_a_key_that_stands_twice_is_refused(quiet_client: TestClient, twice: tuple[str, str], pointer: str) -> None:
    body = json.dumps(study(seeds=3)).replace(*twice, 1)
    answer = quiet_client.post(f"{API}/studies/preview", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
    found = {item["pointer"]: item["detail"] for item in answer.json()["errors"]}
    assert "twice" in found[pointer]


def test_a_body_without_length_is_counted(quiet_client: TestClient) -> None:
    pieces = (b" " * 100_000 for _ in range(20))
    answer = quiet_client.post(f"{API}/studies", content=pieces, headers={"Content-Type": "application/json"})
    assert answer.status_code == 413
    assert "524,288" in answer.json()["detail"]
    assert BodyCap.__name__ in repr(quiet_client.app.user_middleware)  # type: ignore[attr-defined]  # Starlette's own


def test_a_packed_body_is_refused(quiet_client: TestClient) -> None:
    answer = quiet_client.post(f"{API}/studies", content=b"x", headers={"Content-Encoding": "gzip"})
    assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


ODD = [
    ("GET", f"{API}/nothing", 404),
    ("GET", f"{API}/studies/study_none", 404),
    ("GET", f"{API}/studies/%00", 422),
    ("GET", f"{API}/studies/..%2f..%2fetc", 404),
    ("GET", f"{API}/runs/run_none", 404),
    ("GET", f"{API}/runs/run_none/metrics", 404),
    ("GET", f"{API}/artifacts/none/download", 404),
    ("POST", f"{API}/runs/run_none/retry", 404),
    ("PUT", f"{API}/studies", 405),
    ("DELETE", f"{API}/studies", 405),
    ("GET", f"{API}/studies?limit=0", 422),
    ("GET", f"{API}/studies?limit=1001", 422),
    ("GET", f"{API}/studies?limit=many", 422),
    ("GET", f"{API}/studies?cursor=zzz", 422),
    ("GET", f"{API}/studies?cursor=WzFlOTk5XQ", 422),
    ("GET", f"{API}/studies?q=%00", 422),
    ("GET", f"{API}/studies?q=%ff", 200),
    ("GET", f"{API}/studies?archived=perhaps", 422),
]


def test_odd_addresses_get_a_problem(client: TestClient) -> None:
    for method, path, status in ODD:
        answer = client.request(method, path)
        assert answer.status_code == status, (method, path, answer.text)
        if status != 200:
            assert set(answer.json()) == FIELDS


def test_odd_queries_of_a_study_get_a_problem(client: TestClient) -> None:
    path = f"{API}/studies/{post(client, seeds=1)['id']}"
    run = client.get(f"{path}/runs").json()["items"][0]["id"]
    for query, status in [
        (f"{path}/runs?status=lost", 422),
        (f"{path}/runs?seed=-1", 422),
        (f"{path}/runs?seed=99999999999999999999", 422),
        (f"{path}/runs?arm_id=nobody", 200),
        (f"{path}/comparison?x=time", 422),
        (f"{path}/comparison?baseline=nobody", 422),
        (f"{path}/figures/nothing", 404),
        (f"{API}/runs/{run}/metrics?names=nothing", 422),
        (f"{API}/runs/{run}/metrics?first_step=1e3", 422),
        (f"{API}/runs/{run}/metrics?first_step=9007199254740993", 422),
        (f"{API}/runs/{run}/logs?cursor=WzFd", 200),
    ]:
        answer = client.get(query)
        assert answer.status_code == status, (query, answer.text)


def test_a_locked_database_is_a_503_with_retry_after(
    sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = inside(sqlite_client).database
    path = f"{API}/studies/{post(sqlite_client, seeds=1)['id']}"
    with database.write() as held:  # another writer that does not let go
        held.connection()
        monkeypatch.setattr("backend.shared.database.LOCK_WAIT_S", 0)
        database.engine.dispose()  # new connections wait as long as the constant says now
        answer = sqlite_client.patch(path, json={"name": "later"})
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert "locked" in answer.json()["detail"]
    assert sqlite_client.patch(path, json={"name": "later"}).status_code == 200
