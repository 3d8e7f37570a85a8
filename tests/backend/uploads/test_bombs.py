"""Small files that unfold to far more: bytes, free space, time and the upload itself are asked while they are read."""

import gzip
import json
import os
import shutil
import threading
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from backend.accounts.principal import Principal
from backend.datasets import commit, preview
from backend.datasets.commit import CommitPlan
from backend.datasets.files import delimited
from backend.datasets.files.importing import open_table
from backend.datasets.files.parquet import _said
from backend.datasets.files.table import source_of
from backend.datasets.lengths import cut
from backend.datasets.schemas import PreviewPlan
from backend.shared.errors import Conflict, InvalidInput, TooLarge, Unavailable
from backend.shared.rows import budget, seen_rows, writer
from backend.shared.rows.budget import Budget
from backend.shared.rows.writer import DatasetWriter
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.uploads import service as uploads
from tests.backend.inside import inside
from tests.backend.make_studies import API
from tests.backend.uploads.test_uploads import BODY, MAPPING, PLAN, send

ROWS, CELL = 3000, 900_000  # 2.7 GB of rows
Usage = namedtuple("Usage", "total used free")
OWNER = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
TASK = {"task": "classification"}


@pytest.fixture(scope="module")
def bomb(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    texts = pa.DictionaryArray.from_arrays(
        pa.array(list(range(9)) * (ROWS // 9), pa.int32()), ["a" * CELL + str(i) for i in range(9)]
    )
    file = tmp_path_factory.mktemp("bomb") / "bomb.parquet"
    table = pa.table({"text": texts, "label": [i % 2 for i in range(len(texts))]})
    pq.write_table(table, file, compression="zstd", row_group_size=500)
    assert file.stat().st_size < 200_000
    return file.read_bytes()


class Most(threading.Thread):
    """The most bytes that lay in a folder."""

    def __init__(self, folder: Path) -> None:
        super().__init__(daemon=True)
        self.folder, self.bytes, self._done = folder, 0, threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.01):
            self.bytes = max(self.bytes, lying(self.folder))

    def __enter__(self) -> "Most":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()


def lying(folder: Path) -> int:
    found = 0
    for path in folder.rglob("*"):
        try:
            found += path.stat().st_size
        except FileNotFoundError:
            continue
    return found


def root(client: TestClient) -> Path:
    return inside(client).settings.shared / "datasets"


def test_a_parquet_bomb_is_refused_before_it_fills_anything(sqlite_client: TestClient, bomb: bytes) -> None:
    upload = send(sqlite_client, bomb, "bomb.parquet")
    with Most(root(sqlite_client)) as most:
        answer = sqlite_client.post(f"{API}/uploads/{upload}/commit", json=TASK)
    assert answer.status_code == 413, answer.text
    assert "far more than its size lets expect" in answer.json()["detail"]
    assert most.bytes < budget.FREE_BYTES + budget.FOLD * len(bomb) + (1 << 20)
    assert lying(root(sqlite_client)) == 0


def test_work_ends_with_its_upload(sqlite_client: TestClient, bomb: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(budget, "FOLD", 1 << 30)
    monkeypatch.setattr(budget, "EVERY_S", 0.05)
    upload, app = send(sqlite_client, bomb, "bomb.parquet"), inside(sqlite_client)
    plan = CommitPlan(task="classification")
    with ThreadPoolExecutor(1) as threads:
        made = threads.submit(commit.Commits().commit, app.database, app.settings, OWNER, upload, plan)
        end = time.monotonic() + 60
        while lying(root(sqlite_client)) < 1 << 20:
            assert time.monotonic() < end
            time.sleep(0.01)
        assert sqlite_client.delete(f"{API}/uploads/{upload}").status_code == 204
        with pytest.raises(Conflict, match="deleted while it was read"):
            made.result(30)
    assert lying(root(sqlite_client)) == 0


def test_the_floor_of_the_disk_holds_while_rows_are_written(
    sqlite_client: TestClient, bomb: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = send(sqlite_client, bomb, "bomb.parquet")
    floor = inside(sqlite_client).settings.disk_floor_bytes
    free = floor + (1 << 30)

    def usage(path: Any) -> Usage:
        return Usage(1 << 40, 0, free - 64 * lying(root(sqlite_client)))

    monkeypatch.setattr(shutil, "disk_usage", usage)
    with Most(root(sqlite_client)) as most:
        answer = sqlite_client.post(f"{API}/uploads/{upload}/commit", json=TASK)
    assert (answer.status_code, "too little free space" in answer.json()["detail"]) == (503, True)
    assert most.bytes < 48 << 20  # the floor was met at 16 MiB
    assert lying(root(sqlite_client)) == 0


def test_reading_has_a_deadline(sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commit, "MOST_SECONDS", 0.0)
    answer = sqlite_client.post(f"{API}/uploads/{send(sqlite_client)}/commit", json=PLAN)
    assert (answer.status_code, "takes longer than 0 seconds" in answer.json()["detail"]) == (413, True)


def test_imports_leave_the_places_of_previews(sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "WAIT_S", 0.1)
    upload = send(sqlite_client)
    with uploads.reading(uploads.imports), uploads.reading(uploads.imports):
        assert sqlite_client.post(f"{API}/uploads/{upload}/commit", json=PLAN).status_code == 503
        found = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={"mapping": MAPPING})
        assert (found.status_code, found.json()["kept"]) == (200, 60)


def test_a_preview_of_a_bomb_ends_and_two_leave_others_their_turn(
    sqlite_client: TestClient, bomb: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preview, "MOST_SECONDS", 3.0)
    (tmp_path / "bomb.parquet").write_bytes(bomb)
    begun = threading.Semaphore(0)

    def look() -> bool:
        with uploads.reading(uploads.previews):
            begun.release()
            return preview.preview(tmp_path, source_of(tmp_path / "bomb.parquet"), PreviewPlan()).whole

    good = send(sqlite_client)
    with ThreadPoolExecutor(2) as threads:
        looks = [threads.submit(look) for _ in range(2)]
        assert all(begun.acquire(timeout=30) for _ in looks)
        found = sqlite_client.post(f"{API}/uploads/{good}/preview", json={"mapping": MAPPING})
        assert (found.status_code, found.json()["kept"]) == (200, 60)
        assert [one.result(30) for one in looks] == [False, False]


PACKED = {
    "blank lines": b"\n" * (1 << 20),
    "one row again and again": b"a film,1\n" * (1 << 17),
}


@pytest.mark.parametrize("case", PACKED)
def test_a_packed_bomb_is_refused(case: str, sqlite_client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(preview, "MOST_SECONDS", 0.5)
    monkeypatch.setattr(budget, "FREE_BYTES", 1 << 20)
    monkeypatch.setattr(budget, "FOLD", 10)
    packed = gzip.compress(b"text,label\n") + gzip.compress(PACKED[case]) * 20
    upload = send(sqlite_client, packed, "bomb.csv.gz")
    answer = sqlite_client.post(f"{API}/uploads/{upload}/commit", json=TASK)
    assert (answer.status_code, "unfolds to more" in answer.json()["detail"]) == (413, True)
    looked = sqlite_client.post(f"{API}/uploads/{upload}/preview", json={})
    assert looked.status_code in (200, 422)
    assert lying(root(sqlite_client)) == 0


def test_what_unfolds_as_far_as_it_may_is_read(sqlite_client: TestClient) -> None:
    body = BODY + b"\n" * (1 << 20)
    upload = send(sqlite_client, gzip.compress(body), "rows.csv.gz")
    assert sqlite_client.post(f"{API}/uploads/{upload}/commit", json=PLAN).status_code == 201


def test_a_reader_that_says_nothing_is_watched() -> None:
    read, write = os.pipe()
    asked: list[int] = []

    def watch(count: int) -> None:
        asked.append(count)
        if len(asked) == 2:
            raise TimeoutError

    with os.fdopen(read, "rb") as out, pytest.raises(TimeoutError):
        next(_said(out, watch))
    os.close(write)
    assert asked == [0, 0]


def test_one_row_over_many_lines_has_an_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delimited, "MAX_LINE_BYTES", 10_000)
    (tmp_path / "rows.csv").write_text("text,label\n" + '"\n",' * 5000)
    with pytest.raises(InvalidInput, match="A row is longer than 64 MiB"):
        list(open_table(source_of(tmp_path / "rows.csv")).rows)


def test_refused_rows_are_bounded_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_rows, "MAX_ROWS", 50)
    monkeypatch.setattr(writer, "KEPT_BYTES", 10_000)
    with DatasetWriter(tmp_path, "classification") as found:
        for i in range(50):
            found.refuse(f"line {i}", "label", "is missing", {"text": "a" * 900})
        with pytest.raises(InvalidInput, match="More than 50 rows"):
            found.refuse("line 50", "label", "is missing", {})
    assert (tmp_path / "refused.jsonl").stat().st_size < 12_000


def test_what_is_measured_is_cut_at_once() -> None:
    texts, length = cut({"text": "a" * (1 << 20), "text_pair": "b", "label": "c"})
    assert (sum(map(len, texts)), length) == (20_001, (1 << 20) + 1)


def test_a_budget_says_which_limit_was_met(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(Conflict, match="deleted"):
        Budget(tmp_path, 1, 1 << 30, 0, wanted=lambda: False).row(1)
    with pytest.raises(Unavailable, match="too little free space"):
        Budget(tmp_path, 1, 1 << 30, 1 << 60).row(1)
    with pytest.raises(TooLarge, match="longer than 0 seconds"):
        Budget(tmp_path, 1, 1 << 30, 0, seconds=0).read(1)


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 1 << 28)), max_size=30),
    st.integers(1, 1 << 22),
    st.integers(1, 1 << 24),
)
def test_no_more_is_read_or_written_than_a_size_lets_expect(
    tmp_path_factory: pytest.TempPathFactory, counts: list[tuple[bool, int]], size: int, most: int
) -> None:
    found = Budget(tmp_path_factory.getbasetemp(), size, most, 0)
    limit = min(4 * most, budget.FREE_BYTES + budget.FOLD * size)
    read = written = 0
    for is_row, count in counts:
        read, written = read + count * (not is_row), written + max(count - budget.ROW_BYTES, 0) * is_row
        if read > 2 * limit or written > limit:
            with pytest.raises(TooLarge):
                (found.row if is_row else found.read)(count)
            return
        (found.row if is_row else found.read)(count)


def test_rows_as_short_as_they_come_are_not_taken_for_a_bomb(tmp_path: Path) -> None:
    found = Budget(tmp_path, 4 << 20, 4 << 20, 0)
    for _ in range(1_000_000):
        found.row(len(json.dumps({"label": "0", "text": "a"})))
