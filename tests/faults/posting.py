"""Studies as a person makes them: posted to the web server of a house."""

import time
from typing import Any

import httpx

from tests.faults.house import House

STUDY: dict[str, Any] = {
    "name": "posted",
    "model": "minilm-l6",
    "dataset": "rotten-tomatoes",
    "train_rows": 32,
    "validation_rows": 32,
    "training": {"epochs": 1, "evaluations": 1},
    "seeds": 1,
    "arms": [{"method": "none"}],
}


def post(house: House, paused: bool = False) -> tuple[int, float]:
    """Status and seconds of posting a study; `paused` keeps the workers away from it."""
    begun = time.monotonic()
    answer = httpx.post(f"{house.url}/api/v1/studies", json=STUDY, timeout=30)
    took = time.monotonic() - begun
    if paused:
        changed = httpx.patch(f"{house.url}/api/v1/studies/{answer.json()['id']}", json={"paused": True}, timeout=30)
        assert changed.is_success, changed.text
    return answer.status_code, took


def post_study(house: House, **changed: Any) -> tuple[str, list[str]]:
    """Ids of a posted study and of its runs; `changed` parts of STUDY."""
    with httpx.Client(base_url=f"{house.url}/api/v1", timeout=30) as http:
        answer = http.post("/studies", json={**STUDY, **changed})
        assert answer.status_code == 202, answer.text
        study_id = answer.json()["id"]
        return study_id, [run["id"] for run in http.get(f"/studies/{study_id}/runs").json()["items"]]
