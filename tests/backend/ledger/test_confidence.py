"""What ledgers say of confidence is in the verdict, wherever it is read: page, report, share link."""

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from backend.ledger.confidence import Confidences, numbers
from backend.ledger.rows import read
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.store import studies
from backend.shared.tables import LOCAL_WORKSPACE
from tests.backend.ledger.keep import keep
from tests.backend.make_studies import API, make, train


@pytest.fixture
def kept(database: Database, settings: Settings) -> tuple[str, dict[tuple[int, int], Path]]:
    study_id = make(database, settings, seeds=3)
    train(database, settings.home)
    return study_id, keep(database, settings.home, study_id)


def confidence(verdict: dict[str, Any]) -> str:
    return next((line["text"] for line in verdict["lines"] if line["about"] == "confidence"), "")


def test_the_verdict_says_the_same_of_confidence_everywhere(client: TestClient, kept: tuple[str, Any]) -> None:
    study_id, _ = kept
    ledger = client.get(f"{API}/studies/{study_id}/ledger", params={"split": "test"}).json()
    error = ledger["arms"][0]["calibration"]["calibration_error"]
    told = confidence(client.get(f"{API}/studies/{study_id}/comparison").json()["verdict"])
    assert told.startswith(f"Confidence is off by {error:.2f} with no dropout at its last step")
    assert confidence(client.get(f"{API}/studies/{study_id}/report").json()["verdict"]) == told
    for mode in ("live", "frozen"):
        secret = client.post(f"{API}/shares", json={"study_id": study_id, "mode": mode}).json()["secret"]
        assert confidence(client.get(f"{API}/shared/{secret}/comparison").json()["verdict"]) == told


def test_numbers_of_a_run_are_those_of_the_rows_that_answers_speak_of(kept: tuple[str, Any]) -> None:
    """Fitted on validation rows and judged on test rows; without any of these, crosswise."""
    _, files = kept
    ledger = read(files[1, 0])
    found = numbers(ledger)
    assert set(found) == {"last", "stopped"}
    assert found["last"]["loss"] == pytest.approx(ledger["last", "test"].loss.mean(), rel=1e-5)
    assert found["last"]["temperature"] > 1.2, "it is three times as sure as it should be"
    without = {place: rows for place, rows in ledger.items() if place[1] == "validation"}
    assert numbers(without)["last"]["loss"] == pytest.approx(ledger["last", "validation"].loss.mean(), rel=1e-5)
    assert numbers({}) == {}


def test_a_ledger_is_read_once_and_one_that_is_gone_is_left_out(
    database: Database, settings: Settings, kept: tuple[str, dict[tuple[int, int], Path]]
) -> None:
    study_id, files = kept
    files[0, 1].write_bytes(b"damaged")
    known = Confidences(settings)
    with database.read() as session:
        study = studies.get(session, LOCAL_WORKSPACE, study_id)
        first = known.records(session, study).confidence
        assert len(first) == 5
        for file in files.values():
            file.unlink()
        assert known.records(session, study).confidence == first
        assert Confidences(settings).records(session, study).confidence == {}
