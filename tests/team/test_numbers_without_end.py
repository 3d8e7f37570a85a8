"""Numbers that no machine computes with, anywhere in a request: a sentence with status 422, never an error of ours."""

import copy
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.main import create_app
from backend.shared.settings import Settings
from tests.backend.make_studies import API

HUGE = {
    "a whole number of 401 digits": "1" + "0" * 400,
    "its negative": "-1" + "0" * 400,
    "of 5,000 digits": "9" * 5000,
    "beyond a float": "1e400",
    "below it": "-1e400",
    "just beyond 64 bits": str(2**64),
    "NaN": "NaN",
    "infinite": "-Infinity",
}
STUDY: dict[str, Any] = {
    "spec_version": 1,
    "name": "numbers",
    "model": "minilm-l6",
    "dataset": "rotten-tomatoes",
    "train_rows": 32,
    "validation_rows": 32,
    "test_rows": 32,
    "lora": {"rank": 8, "alpha": 16.0},
    "training": {
        "epochs": 1.0,
        "batch_size": 16,
        "learning_rate": 0.001,
        "weight_decay": 0.1,
        "warmup_ratio": 0.1,
        "gradient_clip": 1.0,
        "max_length": 32,
        "evaluations": 1,
        "dropout_on_rows": 8,
    },
    "generation": {"rows": 1, "max_new_tokens": 1, "beams": 1, "length_penalty": 1.0, "no_repeat_ngram": 0},
    "seeds": 1,
    "arms": [
        {"method": "none", "rank": [4, 8], "alpha": 8.0, "learning_rate": [0.1], "weight_decay": 0.1},
        {"method": "hiddenkey", "rate": [0.1, 0.2], "consistency": {"kind": "kl", "weight": [0.5]}},
        {
            "sites": [
                {"position": "attention_logits", "structure": "span", "rate": 0.1, "span": 3, "window": 3},
                {"position": "hidden", "structure": "element", "rate": {"per_layer": [0.1] * 6}, "layers": [0, 1]},
                {"position": "hidden", "structure": "element", "rate": {"first": 0.1, "last": 0.2}},
            ],
            "consistency": {"kind": "js", "weight": 0.5},
        },
    ],
}
BODIES: dict[str, Any] = {
    "/studies": {**STUDY, "arms": STUDY["arms"][:1]},
    "/studies/preview": STUDY,
    "/studies/study_x/extend": {"seeds": 3, "arms": STUDY["arms"]},
    "/uploads": {"name": "x.csv", "size": 3},
    "/datasets": {"upload_id": "x", "task": "classification", "split": {"share": 0.2, "seed": 1}, "group": "a"},
    "/datasets/preview": {"upload_id": "x", "task": "classification", "share": 0.2, "seed": 1, "max_length": 32},
    "/tokens": {"name": "x", "scope": "read", "days": 3, "expires_days": 3},
    "/studies/study_x/share": {"days": 3, "frozen": True},
    "/shares": {"study_id": "x", "days": 3},
    "/auth/login": {"email": "a@example.org", "password": "x" * 20},
}


@pytest.fixture
def client(sqlite_settings: Settings) -> Iterator[TestClient]:
    with TestClient(create_app(sqlite_settings), raise_server_exceptions=False, base_url="http://127.0.0.1") as made:
        yield made


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Places of all values in a body that hold nothing themselves."""
    if isinstance(value, dict | list):
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from leaves(one, (*path, key))
    elif not isinstance(value, bool):
        yield path


def replaced(body: Any, path: tuple[Any, ...], number: str) -> bytes:
    """The body as JSON with a number written at one place."""
    changed = copy.deepcopy(body)
    inside_of = changed
    for part in path[:-1]:
        inside_of = inside_of[part]
    inside_of[path[-1]] = "@number@"
    return json.dumps(changed).replace('"@number@"', number).encode()


@pytest.mark.parametrize("number", HUGE)
def test_in_any_place_of_any_body(number: str, client: TestClient) -> None:
    wrong = []
    for address, body in BODIES.items():
        for path in leaves(body):
            content = replaced(body, path, HUGE[number])
            answer = client.post(f"{API}{address}", content=content, headers={"Content-Type": "application/json"})
            read_at_once = address.startswith("/studies") and "x" not in address
            if answer.status_code != 422 if read_at_once else not 400 <= answer.status_code < 500:
                wrong.append((address, path, answer.status_code))
    assert wrong == []


@pytest.mark.parametrize("number", ["a whole number of 401 digits", "of 5,000 digits", "beyond a float", "NaN"])
def test_in_any_address(number: str, client: TestClient) -> None:
    wrong = []
    text = HUGE[number]
    for path, operations in inside_schema(client).items():
        for verb, operation in operations.items():
            if verb != "get" or "stream" in path:
                continue
            asked = {one["name"]: text for one in operation.get("parameters", []) if one["in"] == "query"}
            for name, query in [("", {}), *((key, {key: value}) for key, value in asked.items())]:
                answer = client.get(re.sub(r"\{[^}]*\}", text[:1000], path), params=query)
                if answer.status_code >= 500 and answer.status_code != 503:
                    wrong.append((path, name, answer.status_code))
    assert wrong == []


def inside_schema(client: TestClient) -> dict[str, Any]:
    """Every address of the API with its operations."""
    return dict(client.app.openapi()["paths"])  # type: ignore[attr-defined]  # FastAPI's own
