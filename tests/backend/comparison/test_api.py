"""Comparison, figures and export of a study over REST: of one state, cached by it, and equal to the raw rows."""

import csv
import io
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from fastapi.testclient import TestClient

from backend.charts import FIGURES
from backend.comparison.cache import OBJECTS, ComparisonCache, Query
from backend.comparison.schema import Comparison
from backend.comparison.statistics.records import StudyRecords
from backend.comparison.study_records import study_records
from backend.edge import csv_text
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.shared.store import studies
from backend.shared.tables import LOCAL_WORKSPACE
from tests.backend.inside import inside
from tests.backend.make_studies import API, post, train, validation_loss


def test_a_comparison_counts_the_rows_of_the_table(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client, seeds=3)
    train(database, settings.home)
    body = client.get(f"{API}/studies/{made['id']}/comparison").json()
    expected = [np.mean([validation_loss(seed, arm, 8) for seed in range(3)]) for arm in range(2)]
    finals = [arm["final"]["validation/loss"] for arm in body["arms"]]
    np.testing.assert_allclose([final["mean"] for final in finals], expected)
    assert [final["n"] for final in finals] == [3, 3]
    assert body["ranking"] == [made["arms"][1]["id"], made["arms"][0]["id"]]
    assert body["baseline_arm_id"] == made["arms"][0]["id"]
    assert body["arms"][0]["curve"]["step"] == [2, 4, 6, 8]


def test_another_baseline_and_no_curves(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client)
    train(database, settings.home)
    query = {"baseline": "HiddenKey 0.1", "curves": False, "x": "epoch"}
    body = client.get(f"{API}/studies/{made['id']}/comparison", params=query).json()
    assert body["baseline_arm_id"] == made["arms"][1]["id"]
    assert [arm["curve"] for arm in body["arms"]] == [None, None]


def test_an_etag_holds_until_something_happens(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client)
    train(database, settings.home, packs=1)
    path = f"{API}/studies/{made['id']}"
    for part in ("comparison", "figures/losses"):
        first = client.get(f"{path}/{part}")
        tag = {"If-None-Match": f'W/"other", {first.headers["ETag"]}'}
        same = client.get(f"{path}/{part}", headers=tag)
        assert (same.status_code, same.content) == (304, b"")
        assert client.get(f"{path}/{part}?x=epoch", headers=tag).status_code == 200
        client.patch(path, json={"name": f"after {part}"})
        changed = client.get(f"{path}/{part}", headers=tag)
        assert changed.status_code == 200
        assert changed.headers["ETag"] != first.headers["ETag"]


def test_a_comparison_is_computed_once_a_state(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    database = inside(sqlite_client).database
    study_id = post(sqlite_client)["id"]
    train(database, sqlite_settings.home)
    cache = ComparisonCache()
    with database.read() as session:
        study = studies.get(session, LOCAL_WORKSPACE, study_id)
        first = cache.get(session, study, Query())
        assert cache.get(session, study, Query()) is first
        assert cache.get(session, study, Query(x="epoch")) is not first
    sqlite_client.patch(f"{API}/studies/{study_id}", json={"name": "later"})
    with database.read() as session:
        assert cache.get(session, studies.get(session, LOCAL_WORKSPACE, study_id), Query()).study_name == "later"


def trained_records(client: TestClient, settings: Settings) -> StudyRecords:
    """The records of a study that is posted and trained."""
    database = inside(client).database
    study_id = post(client)["id"]
    train(database, settings.home)
    with database.read() as session:
        return study_records(session, studies.get(session, LOCAL_WORKSPACE, study_id))


def test_comparisons_are_kept_within_so_many_bytes(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    records = trained_records(sqlite_client, sqlite_settings)
    one = OBJECTS * len(ComparisonCache().of("any", 1, lambda: records, Query()).model_dump_json())
    loaded: list[int] = []

    def load(number: int) -> StudyRecords:
        loaded.append(number)
        return records

    cache = ComparisonCache(most_bytes=3 * one + one // 2)
    for number in (0, 1, 2, 3, 3, 2, 0):
        cache.of(number, 1, lambda number=number: load(number), Query())  # type: ignore[misc]
    assert loaded == [0, 1, 2, 3, 0], "the one read longest ago made room"
    tiny = ComparisonCache(most_bytes=1)
    first = tiny.of("large", 1, lambda: records, Query())
    assert tiny.of("large", 1, lambda: records, Query()) is first, "what was just made stays"
    assert tiny.of("large", 1, lambda: records, Query(x="epoch")) is not first
    assert tiny.of("large", 1, lambda: records, Query()) is not first


def test_what_many_ask_for_at_once_is_computed_once(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    records = trained_records(sqlite_client, sqlite_settings)
    study_id = records.study_id
    asked: list[str] = []
    cache, together = ComparisonCache(), threading.Barrier(4)

    def load(name: str) -> StudyRecords:
        asked.append(name)
        return records

    def ask(_: int) -> Comparison:
        together.wait(30)
        return cache.of(study_id, 1, lambda: load("first"), Query())

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(ask, range(4)))
    assert asked == ["first"]
    assert all(one is found[0] for one in found)
    assert cache.of(study_id, 2, lambda: load("newer"), Query()) is not found[0]
    # Somebody whose request began before the newest event is answered, and does not turn the cache back.
    assert cache.of(study_id, 1, lambda: load("late"), Query()).study_id == study_id
    assert cache.of(study_id, 2, lambda: load("never"), Query()).study_id == study_id
    assert asked == ["first", "newer", "late"]


def test_every_figure_is_drawn_before_during_and_after(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    made = post(sqlite_client, seeds=1)
    database = inside(sqlite_client).database
    for packs in (0, 1):
        train(database, sqlite_settings.home, packs=packs)
        for name in FIGURES:
            answer = sqlite_client.get(f"{API}/studies/{made['id']}/figures/{name}")
            assert answer.status_code == 200, (name, answer.text)
            assert "data" in answer.json()
            assert "NaN" not in answer.text


def test_only_the_arms_asked_for_are_drawn(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    made = post(sqlite_client)
    database = inside(sqlite_client).database
    train(database, sqlite_settings.home)
    wanted = made["arms"][1]["id"]
    drawn = sqlite_client.get(f"{API}/studies/{made['id']}/figures/losses", params={"arm": wanted}).json()
    assert {trace["meta"]["arm"] for trace in drawn["data"] if "arm" in trace.get("meta", {})} == {wanted}


def test_the_export_holds_every_number_exactly(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client, seeds=2)
    train(database, settings.home)
    answer = client.get(f"{API}/studies/{made['id']}/export.csv")
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.headers["Content-Disposition"].startswith("attachment")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert len(rows) == 2 * 2 * 4
    arms = [arm["label"] for arm in made["arms"]]
    for row in rows:
        expected = validation_loss(int(row["seed"]), arms.index(row["arm"]), int(row["step"]))
        assert float(row["validation/loss"]) == expected
        assert row["probe/accuracy"] == ""
        assert row["status"] == "succeeded"


def test_texts_in_the_export_are_no_formulas(sqlite_client: TestClient, sqlite_settings: Settings) -> None:
    arms = [{"method": "none", "label": "=cmd()|x"}, {"method": "dropkey", "label": '+"a,b"\n'}]
    made = post(sqlite_client, seeds=1, arms=arms)
    database = inside(sqlite_client).database
    train(database, sqlite_settings.home, loss=lambda seed, arm, step: -0.5 if step < 8 else float("nan"))
    text = sqlite_client.get(f"{API}/studies/{made['id']}/export.csv").text
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert {row["arm"] for row in rows} == {"'=cmd()|x", '\'+"a,b"\n'}
    assert {row["validation/loss"] for row in rows} == {"-0.5", "nan"}
    assert csv_text.text("plain") == "plain"
    assert [csv_text.text(start + "x")[0] for start in "=+-@\t\r"] == ["'"] * 6


def test_storage_keys_and_folders_are_never_told(client: TestClient, database: Database, settings: Settings) -> None:
    made = post(client, seeds=1)
    run = train(database, settings.home)[0]
    home = str(Path(settings.home))
    for path in (
        f"studies/{made['id']}",
        f"studies/{made['id']}/runs",
        f"runs/{run}",
        f"runs/{run}/artifacts",
        "models",
        "datasets",
        "workers",
        "studies/none",
    ):
        assert home not in client.get(f"{API}/{path}").text, path


def test_a_clock_that_the_study_does_not_know_is_refused(
    client: TestClient, database: Database, settings: Settings
) -> None:
    """In a sentence with its place, once runs have finished without halves; before, everything is still open."""
    address = f"{API}/studies/{post(client, seeds=3)['id']}/comparison"
    assert client.get(address, params={"clock": "stopped"}).status_code == 200
    train(database, settings.home)
    refused = client.get(address, params={"clock": "stopped"})
    assert refused.status_code == 422
    (error,) = refused.json()["errors"]
    assert error["pointer"] == "/clock"
    assert "recorded no halves" in error["detail"]
    assert client.get(address, params={"clock": "best"}).status_code == 422
