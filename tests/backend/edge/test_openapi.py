"""The committed schema is the service's own, and says enough for a typed client."""

import json
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from backend.accounts.auth import authenticated
from backend.accounts.principal import Principal
from backend.main import create_app
from backend.openapi import schema_text
from backend.shared.errors import Unauthorized
from backend.shared.settings import Settings
from tests.backend.make_studies import study

COMMITTED = Path(__file__).parents[3] / "docs" / "openapi.json"


def _operations(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [operation for path in schema["paths"].values() for operation in path.values()]


def test_the_committed_schema_is_the_present_one() -> None:
    committed = COMMITTED.read_text(encoding="utf-8")
    assert committed == schema_text(), "run `python -m backend.openapi docs/openapi.json` and commit it"


def test_operations_have_names_of_their_own_and_say_what_they_answer() -> None:
    schema = json.loads(schema_text())
    operations = _operations(schema)
    ids = [operation["operationId"] for operation in operations]
    assert len(set(ids)) == len(ids)
    assert all(id.count("_") == 1 for id in ids)
    for operation in operations:
        answer = next(
            operation["responses"][status]
            for status in ("200", "201", "202", "204")
            if status in operation["responses"]
        )
        content = answer.get("content", {})
        for kind, described in content.items():
            assert kind != "application/json" or "$ref" in described["schema"], operation["operationId"]
        assert "application/problem+json" in operation["responses"]["422"]["content"]


def _nobody() -> Principal:
    raise Unauthorized("nobody is known here")


def test_every_route_asks_who_is_there(sqlite_settings: Settings) -> None:
    app = create_app(sqlite_settings)
    app.dependency_overrides[authenticated] = _nobody
    client = TestClient(app, base_url="http://127.0.0.1")
    asked = 0
    for path, operations in app.openapi()["paths"].items():
        for method in operations:
            answer = client.request(method, path, json=study())
            assert answer.status_code == 401, (method, path)
            asked += 1
    app.state.doorbell.close()
    app.state.context.database.close()
    assert asked > 25
