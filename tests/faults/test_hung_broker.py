"""T5: a broker that hangs (SIGSTOP) hangs nobody else."""

import os
import signal
import threading
import time
from collections.abc import Callable

import httpx
import pytest

from tests.faults.house import House, until
from tests.faults.posting import STUDY, post
from tests.faults.real_engine import World

Build = Callable[..., House]
STOPPED_S = 30


def p99(seconds: list[float]) -> float:
    return sorted(seconds)[min(len(seconds) - 1, int(len(seconds) * 0.99))]


@pytest.mark.long
@pytest.mark.timeout(600)
def test_t5_hung_broker_does_not_hang_the_api(build: Build, world: World) -> None:
    """Valkey is stopped for half a minute; fifty studies are posted at once while somebody else reads."""
    house = build(world=world)
    house.start(1)
    post(house)  # the first post reads the catalogue; not what is measured
    house.wait_all()
    assert house.broker is not None
    os.kill(house.broker.pid, signal.SIGSTOP)
    stopped = time.monotonic()
    posts: list[tuple[int, float]] = []
    reads: list[float] = []
    errors: list[BaseException] = []

    def write() -> None:
        try:
            posts.append(post(house))
        except BaseException as error:
            errors.append(error)

    writers = [threading.Thread(target=write) for _ in range(50)]
    for writer in writers:
        writer.start()
    with httpx.Client(base_url=f"{house.url}/api/v1", timeout=30) as http:
        while time.monotonic() - stopped < STOPPED_S:
            begun = time.monotonic()
            assert http.get("/studies").status_code == 200
            reads.append(time.monotonic() - begun)
            time.sleep(0.05)  # a person's pace, not a wait for something
    for writer in writers:
        writer.join()
    os.kill(house.broker.pid, signal.SIGCONT)
    statuses = house.wait_all(300)
    written = p99([took for _, took in posts])
    print(
        f"T5: 50 POSTs p99 {written:.2f} s (bar 3 s); {len(reads)} GETs p99 {p99(reads) * 1000:.0f} ms (bar 200 ms), "
        f"median {sorted(reads)[len(reads) // 2] * 1000:.0f} ms; {statuses.count('succeeded')} of 51 runs done after"
    )
    assert errors == []
    assert {code for code, _ in posts} == {202}
    assert statuses == ["succeeded"] * 51
    assert written <= 3
    assert p99(reads) <= 0.2


@pytest.mark.long
def test_t5_stopped_broker_is_told(build: Build, world: World) -> None:
    """The short form: a study is taken at once while the broker is stopped, and is trained afterwards."""
    house = build(world=world)
    house.start(1)
    post(house)
    house.wait_all()
    assert house.broker is not None
    os.kill(house.broker.pid, signal.SIGSTOP)
    code, took = post(house)
    until(lambda: httpx.get(f"{house.url}/readyz").json()["checks"]["doorbell"] != "ok", "the failed ring", 20)
    ready = httpx.get(f"{house.url}/readyz")
    os.kill(house.broker.pid, signal.SIGCONT)
    assert house.wait_all() == ["succeeded"] * 2
    print(f"T5 short: POST {code} in {took:.2f} s; then {ready.json()['checks']['doorbell']}")
    assert (code, ready.status_code, STUDY["seeds"]) == (202, 200, 1)
