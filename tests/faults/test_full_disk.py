"""T14: a full disk stops work with a sentence, corrupts nothing, and work goes on by itself once there is room."""

import contextlib
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from backend.embedded.child import Child
from tests.faults.house import LEASE_S, House, until
from tests.faults.real_engine import World

Build = Callable[..., House]
MEBI = 1 << 20
pytestmark = [pytest.mark.long, pytest.mark.timeout(1200)]


class Disk:
    """A small disk of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.filler = folder, folder / "filler"

    def fill(self, leave: int) -> None:
        """Write until so many bytes are left, or until nothing goes: others write meanwhile."""
        with self.filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            while (free := shutil.disk_usage(self.folder).free - leave) > 0:
                file.write(bytes(min(free, MEBI)))

    def free(self) -> None:
        self.filler.unlink()


@pytest.fixture
def disk() -> Iterator[Disk]:
    folder = Path(tempfile.mkdtemp(prefix="disk-"))
    made = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=128m", "tmpfs", str(folder)], capture_output=True)
    if made.returncode:
        folder.rmdir()
        pytest.skip("T14 needs the right to mount a small disk")
    yield Disk(folder)
    subprocess.run(["umount", "-l", str(folder)], check=True)
    folder.rmdir()


def sound(house: House) -> str:
    with sqlite3.connect(house.settings.sqlite_path) as database:
        return str(database.execute("PRAGMA integrity_check").fetchone()[0])


def partial(house: House) -> list[str]:
    """Files and folders that a write left half done, once nothing is trained any more."""
    names = (*(house.home / "artifacts").rglob("*.tmp"), *(house.home / "datasets").glob(".*"))
    return [str(path.relative_to(house.home)) for path in names]


@pytest.fixture(params=[20])
def epochs(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture
def undisturbed(build: Build, world: World, epochs: int) -> str:
    house = build(world=world)
    house.start(1)
    house.plant_real(arms=1, seeds=2, epochs=epochs, evaluations=20)
    assert set(house.wait_all()) == {"succeeded"}
    found = house.digest()
    house.close_processes()
    return found


@pytest.mark.parametrize("epochs", [100], indirect=True)  # the disk is looked at every five seconds
def test_t14_disk_below_the_floor_pauses_work(
    build: Build, world: World, disk: Disk, undisturbed: str, epochs: int
) -> None:
    house = build(world=world, home=disk.folder / "home", disk_floor_bytes=16 * MEBI)
    house.start(1)
    runs = house.plant_real(arms=1, seeds=2, epochs=epochs, evaluations=20)
    house.wait_step(runs[0], 60)
    disk.fill(leave=8 * MEBI)
    until(lambda: house.run(runs[0]).status == "queued", "the pause", 30)
    paused = house.run(runs[0])
    study = httpx.get(f"{house.url}/api/v1/studies/{paused.study_id}").json()
    ready = httpx.get(f"{house.url}/readyz").json()["checks"]["disk"]
    time_to_claim = time.monotonic() + 2 * house.settings.reaper_s + 1
    until(lambda: time.monotonic() > time_to_claim, "two looks of the reaper")
    assert house.run(runs[0]).fence == paused.fence, "nothing is claimed on a full disk"
    disk.free()
    statuses = house.wait_all(300)
    print(
        f"T14 floor: paused at step {paused.step} ({paused.message}); page: {study['waits_for']}; then {statuses}, "
        f"digest {'equal' if house.digest() == undisturbed else 'DIFFERS'}, attempts {house.ends(runs[0])}"
    )
    assert "disk space" in (paused.message or "")
    assert "disk space" in study["waits_for"]
    assert "disk space" in ready
    assert paused.lost_attempts == 0
    assert statuses == ["succeeded"] * 2
    assert house.digest() == undisturbed
    assert partial(house) == []


def test_t14_disk_is_full_to_the_last_byte(build: Build, world: World, disk: Disk, undisturbed: str) -> None:
    """No floor helps here: writes fail wherever they stand, at a dozen places, and each time room comes back."""
    house = build(world=world, home=disk.folder / "home")
    house.start(1)
    processes: list[Child] = [house.workers[0], house.api, house.broker]  # type: ignore[list-item]
    told: dict[str, int] = {}
    for leave in (0, 0, 4096, 16_384, 32_768, 65_536, 98_304, 131_072, 196_608, 262_144, 524_288, MEBI):
        runs = house.plant_real(arms=1, seeds=2, epochs=20, evaluations=20)
        house.wait_step(runs[0], house.random.randrange(2, 200))
        disk.fill(leave)
        reads = httpx.get(f"{house.url}/api/v1/studies")
        assert reads.status_code == 200, reads.text
        full_until = time.monotonic() + 1.5 * LEASE_S
        until(lambda e=full_until, r=runs: time.monotonic() > e or _ended(house, r), "one and a half leases")
        disk.free()
        until(lambda r=runs: _ended(house, r), "the end of the runs", 180)
        for run in map(house.run, runs):
            if run.status == "failed":
                assert run.failure_code in ("disk_full", "worker_lost"), (run.failure_code, run.message)
                assert "disk" in (run.message or "").lower() or run.failure_code == "worker_lost"
            told[run.failure_code or run.status] = told.get(run.failure_code or run.status, 0) + 1
        httpx.post(f"{house.url}/api/v1/studies/{house.run(runs[0]).study_id}/retry", timeout=30)
        until(lambda r=runs: _ended(house, r), "the end of the retried runs", 180)
        assert [house.run(run_id).status for run_id in runs] == ["succeeded"] * 2
        assert house.digest(runs[0]) == undisturbed
        assert (sound(house), partial(house)) == ("ok", [])
    print(f"T14 full: 12 times; first ends {told}; integrity ok, digest equal 12/12, no partial files, no restart")
    assert all(process.is_alive() for process in processes)


def test_t14_upload_on_a_full_disk(build: Build, disk: Disk) -> None:
    house = build(home=disk.folder / "home")
    house.start_broker()
    house.start_api()
    body = b"text,label\n" + b"good film,good\nbad film,bad\n" * 50_000
    with httpx.Client(base_url=f"{house.url}/api/v1", timeout=60) as http:
        upload = http.post("/uploads", json={"name": "films.csv"}).json()["id"]
        disk.fill(leave=256 * 1024)
        refused = http.put(f"/uploads/{upload}/content", content=body)
        reading = http.get("/studies")
        disk.free()
        http.delete(f"/uploads/{upload}")
        again = http.post("/uploads", json={"name": "films.csv"}).json()["id"]
        taken = http.put(f"/uploads/{again}/content", content=body)
    print(f"T14 upload: {refused.status_code} {refused.json()['detail']!r}; afterwards {taken.status_code}")
    assert refused.status_code in (413, 503, 507)
    assert "room" in refused.json()["detail"] or "space" in refused.json()["detail"]
    assert reading.status_code == 200
    assert taken.status_code == 200
    assert sound(house) == "ok"


def _ended(house: House, runs: list[str]) -> bool:
    return all(house.run(run_id).finished_at for run_id in runs)
