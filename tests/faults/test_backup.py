"""T34: a backup made while twenty writes a second go on comes back elsewhere, whole and equal, and trains on."""

import shutil
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import select, update

from backend.shared.tables import Artifact, Study
from tests.databases import BOTH
from tests.faults.house import House, until
from tests.faults.real_engine import World

Build = Callable[..., House]
DROPSCOPE = [sys.executable, str(Path(sys.executable).parent / "dropscope")]


@pytest.mark.long
@pytest.mark.timeout(600)
@pytest.mark.parametrize("kind", BOTH)
def test_t34_backup_restores(kind: str, build: Build, world: World, request: pytest.FixtureRequest) -> None:
    def url() -> str | None:
        return request.getfixturevalue("postgres").fresh() if kind == "postgres" else None

    house = build(world=world, database_url=url())
    house.start(1)
    done = house.plant_real(epochs=4, evaluations=2)
    house.wait_all()
    finished = house.digest(done[0])
    running = house.plant_real(seeds=3, epochs=20)
    house.wait_step(running[0], 30)
    stopping, written = threading.Event(), [0]

    def write() -> None:
        while not stopping.wait(0.05):
            with house.database.write() as session:
                session.execute(update(Study).values(updated_at=Study.updated_at))
            written[0] += 1

    writer = threading.Thread(target=write)
    writer.start()
    begun = time.monotonic()
    kept = house.home.parent / f"{house.home.name}-kept"
    try:
        made = subprocess.run(
            [*DROPSCOPE, "backup", str(kept)], env=house.environment(), capture_output=True, text=True
        )
        took, rate = time.monotonic() - begun, written[0] / (time.monotonic() - begun)
        assert made.returncode == 0, made.stderr
        until(lambda: all(house.run(run_id).finished_at for run_id in running), "the end of the original", 120)
        stopping.set()
        undisturbed = house.digest(running[0])
        house.close_processes()

        back = build(world=world, database_url=url(), migrated=False)
        told = subprocess.run(
            [*DROPSCOPE, "restore", str(kept)], env=back.environment(), capture_output=True, text=True
        )
        assert told.returncode == 0, told.stderr
        with sqlite3.connect(kept / "dropscope.db") as copy:
            (integrity,) = copy.execute("PRAGMA integrity_check").fetchone()
        restored = back.digest(done[0])
        with back.database.read() as session:
            artifacts = len(session.scalars(select(Artifact.id)).all())
        back.start(1)
        assert set(back.wait_all()) == {"succeeded"}
        went_on = back.digest(running[0])
    finally:
        stopping.set()
        writer.join()
        shutil.rmtree(kept, ignore_errors=True)
    print(
        f"T34 {kind}: backup in {took:.1f} s under {rate:.0f} writes/s: {told.stdout.strip()}; integrity {integrity}; "
        f"digest of what had ended {'equal' if restored == finished else 'DIFFERS'}, of what was trained on after the "
        f"restore {'equal' if went_on == undisturbed else 'DIFFERS'}; {artifacts} artifacts"
    )
    assert (integrity, restored, went_on) == ("ok", finished, undisturbed)
