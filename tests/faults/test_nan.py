"""T30: a loss that is not a number is a result that can be read everywhere, not an outage."""

import csv
import io
import json
from collections.abc import Callable

import httpx
import pytest

from backend.charts import FIGURES
from tests.databases import BOTH
from tests.faults.house import House
from tests.faults.test_broker_and_api import STUDY

Build = Callable[..., House]


@pytest.mark.parametrize("kind", BOTH)
def test_t30_nan_is_shown_as_nan(kind: str, build: Build, request: pytest.FixtureRequest) -> None:
    house = build(database_url=request.getfixturevalue("postgres").fresh() if kind == "postgres" else None)
    (house.home / "toy.json").write_text(json.dumps({"nan_from": 15, "steps": 40, "evaluate_every": 10}))
    house.start(1)
    study = httpx.post(
        f"{house.url}/api/v1/studies", json={**STUDY, "arms": [{"method": "none"}, {"method": "dropkey"}]}
    )
    study_id = study.json()["id"]
    assert set(house.wait_all()) == {"succeeded"}
    with httpx.Client(base_url=f"{house.url}/api/v1", timeout=30) as http:
        run = http.get(f"/studies/{study_id}/runs").json()["items"][0]
        paths = [
            f"/studies/{study_id}",
            f"/studies/{study_id}/comparison",
            *(f"/studies/{study_id}/figures/{name}" for name in FIGURES),
            f"/studies/{study_id}/export.csv",
            f"/runs/{run['id']}",
            f"/runs/{run['id']}/metrics",
            f"/runs/{run['id']}/logs",
        ]
        answers = {path: http.get(path) for path in paths}
        exported = answers[f"/studies/{study_id}/export.csv"].text
        metrics = answers[f"/runs/{run['id']}/metrics"].json()
    print(f"T30 {kind}: " + ", ".join(f"{path.rsplit('/', 1)[-1]} {a.status_code}" for path, a in answers.items()))
    assert all(answer.status_code == 200 for answer in answers.values())
    loss = next(series for series in metrics["series"] if series["name"] == "validation/loss")
    assert [value is None for value in loss["values"]] == [False, True, True, True]
    assert set(loss["nonfinite"].values()) == {"nan"}
    told = [row["validation/loss"] for row in csv.DictReader(io.StringIO(exported))]
    assert sum(value.lower() == "nan" for value in told) == 6
