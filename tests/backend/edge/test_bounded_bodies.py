"""What a body may cost is bounded before anything is known of who sends it; what people do send is taken."""

import asyncio
import json
import time
from typing import Any

import pytest
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException

from backend.edge.body_cap import MAX_VALUES, SMALL_BYTES, BodyCap, has_too_many_values
from backend.studies import arm_labels
from tests.backend.make_studies import API, study
from tests.team.people import Team

JSON = {"Content-Type": "application/json"}
MOST_S = 1.0


def _cost(client: TestClient, path: str, body: bytes) -> tuple[float, int, dict[str, Any]]:
    began = time.process_time()
    answer = client.post(f"{API}{path}", content=body, headers=JSON)
    return time.process_time() - began, answer.status_code, answer.json()


def test_a_login_of_eighty_thousand_keys_is_not_even_read(team: Team) -> None:
    body = json.dumps({f"k{number}": 0 for number in range(80_000)}).encode()
    spent, status, found = _cost(team.client, "/auth/login", body)
    assert (status, found["code"]) == (413, "too_large")
    assert f"{SMALL_BYTES:,} bytes; this operation takes no more" in found["detail"]
    assert spent < MOST_S


@pytest.mark.parametrize(
    ("body", "status", "hint"),
    [
        (json.dumps({f"k{n}": 0 for n in range(51)}), 422, "more than 50 keys"),
        (json.dumps(study(arms=[{"k" * 201: 0}])), 422, "longer than 200 characters"),
        (json.dumps(study(arms=[0] * 10_001)), 422, "more than 10,000 items"),
        (json.dumps(study(arms=[{"rate": [1] * 600} for _ in range(100)])), 422, "more than 50,000 values"),
        (json.dumps(study(arms=[{"sites": [{}] * 65}])), 422, "at most 64 items"),
        (json.dumps(study(arms=[{"sites": [0] * 9_000}] * 5)), 422, "valid dictionary"),
        (json.dumps(study(arms=[{f"k{n}": 0 for n in range(45)}] * 500)), 422, "there is no key 'k0' here"),
    ],
    ids=["keys", "a long key", "items", "values", "sites", "many sites", "many unknown keys"],
)
def test_a_body_of_too_many_parts_is_refused_by_what_is_too_many(
    quiet_client: TestClient, body: str, status: int, hint: str
) -> None:
    spent, found_status, found = _cost(quiet_client, "/studies/preview", body.encode())
    assert found_status == status
    assert any(hint in item["detail"] for item in found["errors"]), found["errors"][:3]
    assert len(found["errors"]) <= 100
    assert spent < MOST_S


def test_what_was_quadratic_is_linear(quiet_client: TestClient) -> None:
    """24 kB of zeros took 32 s, each of its errors being held against each other one."""
    zeros = json.dumps(study(arms=[{"method": "none", "rate": ["x", *[0.1] * 60]}] * 300)).encode()
    assert _cost(quiet_client, "/studies/preview", zeros)[0] < MOST_S
    began = time.process_time()
    made = arm_labels.unique(["the same"] * 20_000, frozenset())
    assert (len(set(made)), made[:3]) == (20_000, ["the same", "the same #2", "the same #3"])
    assert time.process_time() - began < MOST_S


def test_what_people_send_is_taken(quiet_client: TestClient) -> None:
    def arms(count: int) -> list[dict[str, Any]]:
        layers = list(range(6))
        cell = {"position": "hidden", "structure": "element", "layers": layers}
        return [{"label": f"arm {n}", "sites": [{**cell, "rate": (n + 1) / 1000}]} for n in range(count)]

    for body in (study(arms=arms(200)), study(arms=arms(500))):
        answer = quiet_client.post(f"{API}/studies/preview", json=body)
        assert (answer.status_code, answer.json()["problems"]) == (200, []), answer.json()["problems"][:2]
    assert len(json.dumps(study(arms=arms(500)))) > 60_000
    plan = {"task": "classification", "mapping": {"text": "the longest column " * 3000, "label": "é" * 5000}}
    asked = quiet_client.post(f"{API}/uploads/upload_none/preview", json=plan)
    assert asked.status_code == 404, "refused because there is no such upload, not for its length"


TEXTS = [b'"' + b"," * 60_000 + b'"', b'"\\"' + b"[" * 60_000 + b'"', b'"\\\\",' + b'"' + b"{" * 60_000]


def test_values_are_counted_before_they_are_made() -> None:
    """Commas of a text are none; a text that does not end is looked through once."""
    for text in TEXTS:
        assert not has_too_many_values(b'{"text":' + text + b',"a":[1,2]}')
    for listed in (b"0,", b"[],", b'"",', b'{"a":0},', b'"\\",",'):
        assert has_too_many_values(b"[" + listed * (MAX_VALUES + 1) + b"0]")
        assert not has_too_many_values(b"[" + listed * (MAX_VALUES // 3) + b"0]")
    began = time.process_time()
    assert not has_too_many_values(b'[",' + b'\\"' * 250_000)
    assert has_too_many_values(b'"",' * 170_000)
    assert time.process_time() - began < MOST_S


def test_a_report_of_commas_is_taken(quiet_client: TestClient) -> None:
    body = {"title": "a table", "text": '1,2,[3],"' * 10_000, "version": 0}
    assert quiet_client.put(f"{API}/studies/study_none/report", json=body).status_code == 404


def test_a_body_that_never_ends_is_given_up() -> None:
    async def slow() -> dict[str, Any]:
        await asyncio.sleep(0.02)
        return {"type": "http.request", "body": b" ", "more_body": True}

    async def reads(scope: Any, receive: Any, send: Any) -> None:
        while (await receive())["more_body"]:
            pass

    async def ask() -> None:
        scope = {"type": "http", "method": "POST", "path": f"{API}/studies", "headers": []}
        await BodyCap(reads, 1 << 20, 1 << 20, body_s=0.1)(scope, slow, _nowhere)  # type: ignore[arg-type]  # no server

    with pytest.raises(HTTPException) as refused:
        asyncio.run(ask())
    assert refused.value.status_code == 408


async def _nowhere(message: Any) -> None:
    raise AssertionError(message)
