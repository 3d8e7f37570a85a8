"""T7 and T16: many processes at one table neither share a run nor lose an update, on both databases."""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pytest
from pydantic import SecretStr

from backend.shared.database import Database, open_database
from backend.shared.process import this_process
from backend.shared.settings import Settings
from backend.shared.store import endings, queue, workers
from backend.shared.tables import Study
from tests.databases import BOTH
from tests.faults.house import SCALE
from tests.make_queue_studies import plant

HERE = Path(__file__).parent
RUNS = int(os.environ.get("DROPSCOPE_TEST_RUNS", "2000"))
CLAIMERS = 8


@pytest.fixture(params=BOTH)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings with a fresh database."""
    if request.param == "postgres":
        url = request.getfixturevalue("postgres").fresh()
        return Settings(home=tmp_path, database_url=SecretStr(url))
    shutil.copy(request.getfixturevalue("sqlite_file"), tmp_path / "dropscope.db")
    return Settings(home=tmp_path)


def environment(place: Settings, **more: str) -> dict[str, str]:
    named = {**os.environ, "DROPSCOPE_HOME": str(place.home), **more}
    if place.database_url is not None:
        named["DROPSCOPE_DATABASE_URL"] = place.database_url.get_secret_value()
    return named


def filled(place: Settings, runs: int) -> tuple[Database, str, list[str]]:
    database = open_database(place)
    with database.write() as session:
        study_id, run_ids = plant(session, [{} for _ in range(40)], max(1, runs // 40))
    return database, study_id, run_ids


@pytest.mark.parametrize("pack_size", [1, 12])
def test_t7_no_run_is_claimed_twice(place: Settings, pack_size: int) -> None:
    slow = place.database_url is not None and pack_size == 1 and SCALE < 1  # each claim sorts all that waits
    database, _, run_ids = filled(place, RUNS // 4 if slow else RUNS)
    claimers = [
        subprocess.Popen(
            [sys.executable, str(HERE / "claimer.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(place, PACK_SIZE=str(pack_size)),
        )
        for _ in range(CLAIMERS)
    ]
    for claimer in claimers:
        assert claimer.stdout is not None
        assert claimer.stdout.readline() == "ready\n"
    begun = time.monotonic()
    for claimer in claimers:
        assert claimer.stdin is not None
        claimer.stdin.write("go\n")
        claimer.stdin.flush()
    told = [claimer.communicate() for claimer in claimers]
    took = time.monotonic() - begun
    errors = [said for _, said in told if said]
    claims = Counter(line for said, _ in told for line in said.splitlines())
    doubles = sum(count - 1 for count in claims.values())
    print(f"T7 pack size {pack_size}: {len(claims)} of {len(run_ids)} runs, {doubles} double, {took:.1f} s")
    assert errors == []
    assert claims == Counter(f"{run_id} 1" for run_id in run_ids)
    database.close()


def test_t7_two_at_one_run(place: Settings) -> None:
    """Two claimers meet at a barrier before one run, again and again: one of them gets it."""
    times = RUNS // 2 if SCALE == 1 else RUNS // 4
    database, _, _ = filled(place, 1)
    with database.write() as session:
        session.query(Study).update({"paused": True})
        _, (run_id,) = plant(session, [{}])
        ids = [workers.register(session, this_process(), "cpu", "0") for _ in range(2)]
    barrier = threading.Barrier(2, timeout=60)
    winners: list[tuple[int, int]] = []
    errors: list[BaseException] = []

    def claimer(worker_id: str) -> None:
        try:
            for _ in range(times):
                barrier.wait()
                with database.write() as session:
                    pack = queue.claim_pack(session, worker_id, 12, 30)
                if pack is not None:
                    winners.append((len(pack.runs), pack.runs[0].fence))
                barrier.wait()
                if pack is not None:
                    with database.write() as session:
                        assert endings.give_back(session, run_id, pack.runs[0].fence, "again")
                barrier.wait()
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=claimer, args=(worker_id,)) for worker_id in ids]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    print(f"T7 barrier: {times} races, {len(winners)} winners, {len(errors)} errors")
    assert errors == []
    assert winners == [(1, fence) for fence in range(1, times + 1)]
    database.close()


def test_t16_no_update_is_lost(sqlite_file: Path, tmp_path: Path) -> None:
    """SQLite: SQLAlchemy's default loses more than half of these without an error."""
    shutil.copy(sqlite_file, tmp_path / "dropscope.db")
    place = Settings(home=tmp_path)
    database, study_id, _ = filled(place, 1)
    writers = [
        subprocess.Popen([sys.executable, str(HERE / "counter.py"), study_id, "500"], env=environment(place))
        for _ in range(4)
    ]
    assert [writer.wait() for writer in writers] == [0] * 4
    with database.read() as session:
        found = session.get_one(Study, study_id).priority
    print(f"T16: {found} of 2000 updates kept")
    assert found == 2000
    database.close()
