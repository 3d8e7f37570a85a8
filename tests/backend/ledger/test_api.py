"""The ledger of a study over the API: sums, rows and tables say what the files say."""

import csv
import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from safetensors.numpy import load_file
from scipy.special import softmax

from backend.shared.database import Database
from backend.shared.settings import Settings
from tests.backend.ledger.keep import ROWS, keep
from tests.backend.make_studies import API, make, train

Kept = tuple[str, dict[tuple[int, int], Path]]


@pytest.fixture
def kept(database: Database, settings: Settings) -> Kept:
    study_id = make(database, settings, seeds=3)
    train(database, settings.home)
    return study_id, keep(database, settings.home, study_id)


@pytest.mark.parametrize("clock", ["last", "stopped"])
@pytest.mark.parametrize("split", ["validation", "test"])
def test_every_arm_is_summed_up(client: TestClient, kept: Kept, clock: str, split: str) -> None:
    study_id, files = kept
    found = client.get(f"{API}/studies/{study_id}/ledger", params={"clock": clock, "split": split}).json()
    assert (found["without"], found["note"]) == (0, "")
    plain, dropped = found["arms"]
    assert plain["is_baseline"]
    assert found["baseline_arm_id"] == plain["arm_id"]
    for number, arm in enumerate((plain, dropped)):
        stored = [load_file(files[number, seed]) for seed in range(3)]
        label = stored[0][f"{split}.label"]
        logits = np.array([one[f"{clock}.{split}.logits"].astype(float) for one in stored])
        assert (arm["runs"], arm["rows"]) == (3, ROWS[split])
        assert arm["loss"] == pytest.approx(np.mean([one[f"{clock}.{split}.loss"] for one in stored]), rel=1e-6)
        assert arm["accuracy"] == pytest.approx((logits.argmax(2) == label).mean())
        chances = softmax(logits, axis=2)
        assert arm["calibration"]["brier"] == pytest.approx(((chances[..., 1] - label) ** 2).mean())
        together = chances.mean(0).argmax(1) == label
        assert arm["together"]["ensemble_accuracy"] == pytest.approx(together.mean())
        scaled = arm["calibration"]["scaled"]
        assert scaled["fitted_on"] == ("validation" if split == "test" else "halves")
        edges = arm["calibration"]
        assert 0 <= edges["calibration_error_lo"] <= edges["calibration_error_hi"] <= 1
    assert plain["against_baseline"] is None
    assert dropped["against_baseline"]["only_this"] + dropped["against_baseline"]["only_baseline"] <= ROWS[split]
    assert dropped["components"]["mean"] == pytest.approx(dropped["loss"] - plain["loss"])
    # three times as sure and no better: one temperature takes nearly all of the difference away
    before, after = (dropped["calibration"]["scaled"][key] for key in ("loss_before", "loss"))
    assert after < before


def test_rows_are_told_with_their_texts_the_most_disputed_first(client: TestClient, kept: Kept) -> None:
    study_id, files = kept
    address = f"{API}/studies/{study_id}/ledger/rows"
    found = client.get(address, params={"limit": 5}).json()
    assert found["total"] == ROWS["validation"]
    apart = [item["apart"] for item in found["items"]]
    assert apart == sorted(apart, reverse=True)
    first = found["items"][0]
    at = first["row"] - 100
    losses = [np.mean([load_file(files[arm, seed])["last.validation.loss"][at] for seed in range(3)]) for arm in (0, 1)]
    assert [arm["loss"] for arm in first["arms"]] == pytest.approx(losses)
    assert first["apart"] == pytest.approx(abs(losses[0] - losses[1]))
    assert first["label"] in ("fresh", "rotten")
    assert len(first["text"]) > 10
    for arm in first["arms"]:
        assert sum(arm["predicted"].values()) == arm["seeds"] == 3
        assert arm["predicted"].get(first["label"], 0) == arm["right"]
    rest = client.get(address, params={"limit": 100, "offset": 5}).json()["items"]
    assert len(rest) == ROWS["validation"] - 5
    assert client.get(address, params={"split": "test", "offset": 1000}).json()["items"] == []


def test_single_runs_are_asked_each_by_itself_in_any_order(client: TestClient, kept: Kept) -> None:
    study_id, files = kept
    runs = {
        (run["arm_label"], run["seed"]): run["id"]
        for run in client.get(f"{API}/studies/{study_id}/runs").json()["items"]
    }
    mine, base = runs["HiddenKey 0.1", 1], runs["No dropout", 1]
    address = f"{API}/studies/{study_id}/ledger/rows"
    found = client.get(address, params={"run_id": [mine, base], "order": "worst", "limit": 100}).json()["items"]
    stored = [load_file(files[arm, 1])["last.validation.loss"] for arm in (1, 0)]
    assert [item["arms"][0]["loss"] for item in found] == pytest.approx(sorted(stored[0].tolist(), reverse=True))
    for item in found:
        assert [(arm["run_id"], arm["seeds"]) for arm in item["arms"]] == [(mine, 1), (base, 1)]
        assert [arm["loss"] for arm in item["arms"]] == pytest.approx([one[item["row"] - 100] for one in stored])
    best = client.get(address, params={"run_id": [mine], "order": "best", "limit": 1}).json()["items"]
    assert best[0]["arms"][0]["loss"] == pytest.approx(stored[0].min())
    answer = client.get(address, params={"run_id": ["run_of_nobody"]})
    assert answer.status_code == 404
    assert "run_of_nobody" in answer.json()["detail"]


def test_tables_hold_every_row_of_every_run(client: TestClient, kept: Kept) -> None:
    study_id, files = kept
    table = pq.read_table(io.BytesIO(client.get(f"{API}/studies/{study_id}/ledger.parquet").content))
    lines = list(csv.DictReader(io.StringIO(client.get(f"{API}/studies/{study_id}/ledger.csv").text)))
    assert table.num_rows == len(lines) == 2 * 3 * 2 * sum(ROWS.values())
    rows = table.to_pylist()
    for line, row in zip(lines, rows, strict=True):
        assert (line["arm"], int(line["seed"]), line["clock"], int(line["row"])) == (
            row["arm"],
            row["seed"],
            row["clock"],
            row["row"],
        )
        assert float(line["loss"]) == row["loss"]
        assert [float(one) for one in line["logits"].split()] == row["logits"]
    own = [r for r in rows if (r["arm"], r["seed"], r["clock"], r["split"]) == (rows[0]["arm"], 0, "last", "test")]
    stored = load_file(files[0, 0])
    assert [r["loss"] for r in own] == stored["last.test.loss"].astype(float).tolist()
    assert [r["label"] for r in own] == stored["test.label"].tolist()


def test_a_damaged_or_missing_ledger_is_left_out_and_told(client: TestClient, kept: Kept) -> None:
    study_id, files = kept
    damaged = bytearray(files[0, 0].read_bytes())
    damaged[-1] ^= 1
    files[0, 0].write_bytes(damaged)
    files[1, 1].unlink()
    found = client.get(f"{API}/studies/{study_id}/ledger").json()
    assert [arm["runs"] for arm in found["arms"]] == [2, 2]
    assert found["without"] == 2
    assert "2 runs are gone from this server, or damaged" in found["note"]


def test_a_study_of_before_has_no_ledger_and_says_so(
    client: TestClient, database: Database, settings: Settings
) -> None:
    study_id = make(database, settings)
    train(database, settings.home)
    found = client.get(f"{API}/studies/{study_id}/ledger").json()
    assert "made before" in found["note"]
    assert [arm["loss"] for arm in found["arms"]] == [None, None]
    assert client.get(f"{API}/studies/{study_id}/ledger/rows").json() == {"items": [], "total": 0}
    assert pq.read_table(io.BytesIO(client.get(f"{API}/studies/{study_id}/ledger.parquet").content)).num_rows == 0
    assert client.get(f"{API}/studies/none/ledger").status_code == 404


def test_more_than_two_classes(client: TestClient, database: Database, settings: Settings) -> None:
    study_id = make(database, settings)
    train(database, settings.home)
    keep(database, settings.home, study_id, classes=5)
    arm = client.get(f"{API}/studies/{study_id}/ledger").json()["arms"][0]
    assert arm["calibration"]["scaled"]["temperature"] > 0
    said = client.get(f"{API}/studies/{study_id}/ledger/rows", params={"limit": 100}).json()["items"]
    assert {item["label"] for item in said} - {"fresh", "rotten"} <= {"2", "3", "4"}  # no name, its number
