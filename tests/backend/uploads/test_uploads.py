"""Uploads: in pieces, cut off and gone on with, capped, swept, looked at, and made into one data set."""

import csv
import io
import re
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.catalogue.models import write_manifest
from backend.uploads import service as uploads
from backend.uploads.sweeper import Sweeper
from tests.backend.catalogue.test_models import folder_of
from tests.backend.datasets.test_files import REFUSED, REFUSED_JSON
from tests.backend.inside import inside
from tests.backend.make_studies import API, study

ROWS = "".join(f"film number {i} is {'good' if i % 2 else 'bad'},{'yes' if i % 2 else 'no'}\n" for i in range(60))
BODY = ("review,verdict\n" + ROWS).encode()
MAPPING = {"text": "review", "label": "verdict"}
PLAN = {"task": "classification", "mapping": MAPPING}


def files(client: TestClient) -> list[Path]:
    folder = uploads.folder(inside(client).settings)
    return sorted(folder.iterdir()) if folder.is_dir() else []


def send(client: TestClient, body: bytes = BODY, name: str = "reviews.csv") -> str:
    made = client.post(f"{API}/uploads", json={"name": name, "bytes": len(body)})
    assert made.status_code == 201, made.text
    sent = client.put(f"{API}/uploads/{made.json()['id']}/content", content=body)
    assert sent.status_code == 200, sent.text
    assert sent.json()["complete"]
    return str(made.json()["id"])


def test_a_file_comes_in_pieces_and_becomes_a_data_set_once(client: TestClient) -> None:
    made = client.post(f"{API}/uploads", json={"name": "C:\\data\\reviews.csv", "bytes": len(BODY)})
    upload = made.json()
    assert made.headers["location"] == f"{API}/uploads/{upload['id']}"
    assert (upload["name"], upload["received"], upload["complete"]) == ("reviews.csv", 0, False)
    where = f"{API}/uploads/{upload['id']}"
    assert client.put(f"{where}/content", content=BODY[:100]).json()["received"] == 100
    wrong = client.put(f"{where}/content", content=BODY)
    assert wrong.status_code == 409
    assert "100 bytes have come so far; go on with offset=100" in wrong.json()["detail"]
    assert client.post(f"{where}/commit", json=PLAN).status_code == 409
    rest = client.put(f"{where}/content", params={"offset": 100}, content=BODY[100:])
    assert rest.json()["complete"]
    assert client.get(where).json()["received"] == len(BODY)

    first = client.post(f"{where}/commit", json=PLAN)
    assert first.status_code == 201, first.text
    assert first.headers["location"] == f"{API}/datasets/reviews"
    assert first.json()["rows"] == {"train": 48, "validation": 12}
    assert client.post(f"{where}/commit", json=PLAN).json() == first.json()
    other = client.post(f"{where}/commit", json={**PLAN, "title": "another"})
    assert other.status_code == 409
    assert files(client) == []

    assert client.get(f"{API}/datasets/reviews").json() == first.json()
    queued = client.post(f"{API}/studies", json=study(dataset="reviews", train_rows=40, validation_rows=10))
    assert queued.status_code == 202, queued.text
    refused = client.delete(f"{API}/datasets/reviews")
    assert refused.status_code == 409
    assert "two arms" in refused.json()["detail"]


def test_what_was_not_announced_is_taken_as_it_comes(sqlite_client: TestClient) -> None:
    made = sqlite_client.post(f"{API}/uploads", json={"name": "reviews.csv"}).json()
    sent = sqlite_client.put(f"{API}/uploads/{made['id']}/content", content=iter([BODY[:50], BODY[50:]]))
    assert (sent.json()["received"], sent.json()["complete"], sent.json()["bytes"]) == (len(BODY), True, len(BODY))


def test_no_byte_past_the_cap_or_the_announced_size(sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = inside(sqlite_client).settings
    most = settings.max_upload_bytes
    assert sqlite_client.post(f"{API}/uploads", json={"name": "a.csv", "bytes": most + 1}).status_code == 413
    monkeypatch.setitem(settings.__dict__, "max_upload_bytes", 1000)
    for body in (b"x" * 1001, iter([b"x" * 600, b"x" * 401])):
        made = sqlite_client.post(f"{API}/uploads", json={"name": "a.csv"}).json()
        where = f"{API}/uploads/{made['id']}"
        sent = sqlite_client.put(f"{where}/content", content=body)
        assert sent.status_code == 413, sent.text
        assert sent.headers["connection"] == "close"
        assert sqlite_client.get(where).status_code == 404
    assert files(sqlite_client) == []
    made = sqlite_client.post(f"{API}/uploads", json={"name": "a.csv", "bytes": 10}).json()
    more = sqlite_client.put(f"{API}/uploads/{made['id']}/content", content=b"x" * 11)
    assert more.status_code == 422
    assert "more bytes came than the 10" in more.json()["detail"]
    packed = sqlite_client.put(
        f"{API}/uploads/{made['id']}/content", content=b"x", headers={"Content-Encoding": "gzip"}
    )
    assert packed.status_code == 415


def test_what_stands_still_is_thrown_away(client: TestClient) -> None:
    open_one = client.post(f"{API}/uploads", json={"name": "a.csv", "bytes": 10}).json()["id"]
    client.put(f"{API}/uploads/{open_one}/content", content=b"12345")
    whole = send(client)
    database, settings = inside(client).database, inside(client).settings
    clock, sending = [0.0], set[str]()
    sweeper = Sweeper(database, settings, sending, lambda: clock[0])
    assert sweeper.sweep() == 0
    clock[0] += settings.upload_idle_s + 1
    sending.add(open_one)
    assert sweeper.sweep() == 0  # its flush may take that long
    sending.clear()
    assert sweeper.sweep() == 1
    assert [path.name for path in files(client)] == [whole]
    assert client.get(f"{API}/uploads/{open_one}").status_code == 404
    clock[0] += uploads.KEPT.total_seconds()
    assert sweeper.sweep() == 1
    assert files(client) == []
    assert client.delete(f"{API}/uploads/{send(client)}").status_code == 204
    assert files(client) == []


@pytest.mark.parametrize("step_s", [-1e7, 1e7])
def test_a_step_of_the_clock_throws_nothing_away(
    sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch, step_s: float
) -> None:
    """Neither an upload nor a data set that is being made; what is added to stays however the clock stands."""
    upload = sqlite_client.post(f"{API}/uploads", json={"name": "a.csv", "bytes": 10}).json()["id"]
    where = f"{API}/uploads/{upload}/content"
    sqlite_client.put(where, content=b"12345")
    settings = inside(sqlite_client).settings
    half_made = settings.shared / "datasets" / ".reviews.0"
    half_made.mkdir(parents=True)
    clock = [0.0]
    sweeper = Sweeper(inside(sqlite_client).database, settings, (), lambda: clock[0])
    assert sweeper.sweep() == 0
    real, wall = time.time, datetime.now
    monkeypatch.setattr(time, "time", lambda: real() + step_s)
    monkeypatch.setattr("backend.shared.tables.now", lambda: wall(UTC) + timedelta(seconds=step_s))
    for module in ("backend.uploads.service", "backend.uploads.sweeper"):
        monkeypatch.setattr(f"{module}.now", lambda: wall(UTC) + timedelta(seconds=step_s), raising=False)
    for _ in range(4):
        clock[0] += settings.upload_idle_s * 0.6
        assert sweeper.sweep() == 0
        sqlite_client.put(where, params={"offset": 5}, content=b"")
    assert (half_made.exists(), sweeper.sweep()) == (True, 0)
    clock[0] += 3601
    assert sweeper.sweep() == 1
    assert not half_made.exists()


def test_a_preview_says_what_the_file_would_become(sqlite_client: TestClient) -> None:
    repeats = "film number 1 is good,yes\nfilm number 1 is good,no\n ,yes\n"
    upload = send(sqlite_client, BODY + repeats.encode())
    found = sqlite_client.post(
        f"{API}/uploads/{upload}/preview", json={"mapping": MAPPING, "model": "minilm-l6"}
    ).json()
    assert found["problems"] == []
    assert (found["format"], found["task"], found["columns"]) == ("csv", "classification", ["review", "verdict"])
    assert (found["read"], found["kept"], found["refused"], found["whole"]) == (63, 62, 1, True)
    assert found["refusals"] == [{"place": "line 64", "column": "review", "reason": "is empty"}]
    assert found["sample"][0] == {"review": "film number 0 is bad", "verdict": "no"}
    assert {label["name"] for label in found["labels"]} == {"yes", "no"}
    assert sum(found["rows"].values()) == sum(label["train"] + label["validation"] for label in found["labels"]) == 62
    assert (found["duplicates"], found["conflicting"]) == (2, 3)
    assert found["lengths"]["exact"]
    assert (found["lengths"]["median"], sum(found["lengths"]["counts"])) == (7, 62)  # five words, [CLS] and [SEP]
    assert any("3 rows have a text that also stands under another label" in sentence for sentence in found["warnings"])
    unknown = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={}).json()
    assert unknown["problems"][0]["pointer"] == "/mapping/label"  # a review is a text, a verdict might be anything
    assert unknown["sample"][0]["review"] == "film number 0 is bad"
    dropped = {"mapping": MAPPING, "drop_repeats": True}
    without = sqlite_client.post(f"{API}/uploads/{upload}/preview", json=dropped).json()
    assert (without["kept"], without["duplicates"], without["conflicting"], without["leaked"]) == (60, 0, 0, 0)


def test_a_broken_line_is_named_beside_what_came_before_it(sqlite_client: TestClient) -> None:
    upload = send(sqlite_client, BODY + b'"never closed,yes\n')
    found = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={"mapping": MAPPING}).json()
    assert "Line 62 cannot be read: a quoted cell is never closed" in found["problems"][0]["detail"]
    assert (found["read"], found["whole"]) == (60, False)
    refused = sqlite_client.post(f"{API}/uploads/{upload}/commit", json=PLAN)
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["detail"] == found["problems"][0]["detail"]


def test_refused_rows_can_be_taken_away_with_their_reasons(sqlite_client: TestClient) -> None:
    upload = send(sqlite_client, BODY + b"=cmd(),\n ,yes\n")
    made = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={**PLAN, "id": "mine"}).json()
    assert (made["read"], made["kept"], made["refused"]) == (62, 60, 2)
    answer = sqlite_client.get(f"{API}/datasets/mine/refused.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert list(csv.reader(io.StringIO(answer.text))) == [
        ["place", "column", "reason", "review", "verdict"],
        ["line 62", "verdict", "is missing", "'=cmd()", ""],
        ["line 63", "review", "is empty", " ", "yes"],
    ]


def test_the_rows_of_a_data_set_are_paged(sqlite_client: TestClient) -> None:
    sqlite_client.post(f"{API}/uploads/{send(sqlite_client)}/commit", json={**PLAN, "id": "mine"})
    rows: list[dict[str, Any]] = []
    cursor = None
    while True:
        asked = {"limit": 20, "split": "train"} | ({"cursor": cursor} if cursor else {})
        page = sqlite_client.get(f"{API}/datasets/mine/rows", params=asked).json()
        rows += page["items"]
        if (cursor := page["next_cursor"]) is None:
            break
    assert len(rows) == len({row["text"] for row in rows}) == 48
    assert {row["label"] for row in rows} == {"yes", "no"}
    forged = sqlite_client.get(f"{API}/datasets/mine/rows", params={"cursor": "WzNd"})
    assert forged.status_code == 422
    assert sqlite_client.get(f"{API}/datasets/rotten-tomatoes/rows").json()["next_cursor"]
    assert sqlite_client.delete(f"{API}/datasets/rotten-tomatoes").status_code == 409
    assert sqlite_client.delete(f"{API}/datasets/mine").status_code == 204
    assert sqlite_client.get(f"{API}/datasets/mine").status_code == 404


SPLITS: dict[str, tuple[dict[str, Any], dict[str, int]]] = {
    "ratio": ({"by": "ratio", "ratio": 0.5}, {"train": 30, "validation": 30}),
    "column": ({"by": "column", "column": "part"}, {"train": 45, "validation": 15}),
    "named values": (
        {"by": "column", "column": "film", "validation_names": ["f1", "f2"]},
        {"train": 48, "validation": 12},
    ),
    "group": ({"by": "group", "column": "film", "ratio": 0.3}, {"train": 42, "validation": 18}),
}


@pytest.mark.parametrize("case", SPLITS)
def test_rows_are_held_out_by_ratio_column_or_group(case: str, sqlite_client: TestClient) -> None:
    split, expected = SPLITS[case]
    lines = [f"film {i},{i % 2},f{i % 10},{'Dev' if i % 4 == 0 else 'train'}" for i in range(60)]
    upload = send(sqlite_client, "\n".join(["text,label,film,part", *lines]).encode())
    made = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification", "split": split})
    assert made.status_code == 201, made.text
    assert made.json()["rows"] == expected
    if case == "group":
        films = {
            part: {
                int(row["text"].split()[1]) % 10
                for row in sqlite_client.get(
                    f"{API}/datasets/{made.json()['id']}/rows", params={"split": part, "limit": 200}
                ).json()["items"]
            }
            for part in ("train", "validation")
        }
        assert not films["train"] & films["validation"]


def test_a_file_of_its_own_may_be_held_out_and_leakage_is_told(sqlite_client: TestClient) -> None:
    train, held = send(sqlite_client), send(sqlite_client, BODY[:400].rpartition(b"\n")[0], "held.csv")
    plan = {**PLAN, "validation_upload_id": held}
    found = sqlite_client.post(f"{API}/uploads/{train}/preview", json=plan).json()
    assert found["leaked"] == found["rows"]["validation"] > 0
    assert "learning by heart" in found["warnings"][0]
    made = sqlite_client.post(f"{API}/uploads/{train}/commit", json=plan).json()
    assert made["leaked"] == found["leaked"]
    assert files(sqlite_client) == []


def parquet(tmp_path: Path, **columns: Any) -> bytes:
    pq.write_table(pa.table(columns), tmp_path / "made.parquet", row_group_size=7)
    return (tmp_path / "made.parquet").read_bytes()


@pytest.fixture
def good_parquet(tmp_path: Path) -> bytes:
    texts = [f"film {i}" for i in range(40)]
    return parquet(tmp_path, text=texts, label=[i % 2 for i in range(40)], blob=[b"\x00"] * 40)


def test_parquet_is_read_when_its_content_is_parquet(
    sqlite_client: TestClient, good_parquet: bytes, tmp_path: Path
) -> None:
    upload = send(sqlite_client, good_parquet, "films.parquet")
    found = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={}).json()
    assert (found["format"], found["columns"], found["problems"]) == ("parquet", ["text", "label"], [])
    made = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification"}).json()
    assert (made["read"], made["kept"], made["label_names"]) == (40, 40, ["0", "1"])
    odd = parquet(tmp_path, text=["a", None, "c", "d", "e"], label=[0.5, 1.0, float("nan"), 2.0, -1.5])
    upload = send(sqlite_client, odd, "odd.parquet")
    made = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "regression"}).json()
    assert (made["read"], made["kept"], made["refused"], made["label_range"]) == (5, 3, 2, [-1.5, 2.0])


ODD_PARQUET = {
    "a csv": (lambda good: BODY, "its content is not"),
    "cut off": (lambda good: good[:-20], "is cut off"),
    "a broken footer": (lambda good: good[:-60] + b"\xff" * 52 + good[-8:], "cannot be read"),
    "broken pages": (lambda good: good[:4] + b"\xff" * 300 + good[304:], "cannot be read"),
}


@pytest.mark.parametrize("case", ODD_PARQUET)
def test_odd_parquet_gets_a_sentence(case: str, sqlite_client: TestClient, good_parquet: bytes) -> None:
    change, sentence = ODD_PARQUET[case]
    upload = send(sqlite_client, change(good_parquet), "films.parquet")
    answer = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification"})
    assert answer.status_code == 422, answer.text
    assert sentence in answer.json()["detail"]
    disguised = send(sqlite_client, good_parquet, "films.csv")
    answer = sqlite_client.post(f"{API}/uploads/{disguised}/commit", json={"task": "classification"})
    assert "a Parquet file; give it the ending .parquet" in answer.json()["detail"]


def test_parquet_that_would_fill_the_memory_is_refused(sqlite_client: TestClient, tmp_path: Path) -> None:
    texts = pa.DictionaryArray.from_arrays(pa.array([0] * 3000, pa.int32()), pa.array(["a" * (16 << 20)]))
    pq.write_table(pa.table({"text": texts, "label": [0, 1] * 1500}), tmp_path / "huge.parquet", compression="zstd")
    body = (tmp_path / "huge.parquet").read_bytes()
    assert len(body) < 1 << 20
    upload = send(sqlite_client, body, "huge.parquet")
    answer = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={})
    assert "needs more than 1 GiB of memory" in answer.json()["problems"][0]["detail"]


@pytest.mark.parametrize("case", [*REFUSED, *REFUSED_JSON])
def test_odd_files_get_a_sentence_and_leave_nothing(case: str, sqlite_client: TestClient) -> None:
    """T23 over REST: the table of odd files; `test_rows_files` holds it against the reader itself."""
    content, sentence = REFUSED.get(case) or REFUSED_JSON[case]
    body = content if isinstance(content, bytes) else content.encode()
    if not body:
        assert sqlite_client.post(f"{API}/uploads", json={"name": "odd.csv", "bytes": 0}).status_code == 422
        return
    upload = send(sqlite_client, body, "odd.csv" if case in REFUSED else "odd.jsonl")
    answer = sqlite_client.post(f"{API}/uploads/{upload}/commit", json={"task": "classification"})
    assert answer.status_code == 422, answer.text
    assert re.search(sentence, answer.json()["detail"])
    looked = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={})
    assert looked.status_code in (200, 422), looked.text
    root = inside(sqlite_client).settings.shared / "datasets"
    assert not root.exists() or not list(root.iterdir())
    assert sqlite_client.get(f"{API}/datasets/odd").status_code == 404


def test_lengths_by_an_unknown_or_unusable_tokenizer_are_a_sentence(sqlite_client: TestClient, tmp_path: Path) -> None:
    upload = send(sqlite_client)
    where = f"{API}/uploads/{upload}/preview"
    unknown = sqlite_client.post(where, json={"mapping": MAPPING, "model": "minilm-l7"})
    assert unknown.status_code == 422
    assert "Did you mean minilm-l6?" in unknown.json()["detail"]
    found = inside(sqlite_client)
    folder = folder_of(tmp_path)  # as one that was registered before models were tried
    naming = Naming("empty-tokenizer", "x", False, "local folder", "not stated")
    write_manifest(found.settings.shared, inspect_folder(folder, naming, found.settings.cache), folder)
    broken = sqlite_client.post(where, json={"mapping": MAPPING, "model": "empty-tokenizer"})
    assert broken.status_code == 422
    assert broken.json()["errors"][0]["pointer"] == "/model"
