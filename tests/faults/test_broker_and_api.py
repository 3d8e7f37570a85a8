"""T4, T6, T15, T20 and a restart of the web server: nothing but the database is needed for anything to be kept."""

import json
import os
import shutil
import signal
import sqlite3
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import httpx
import pytest
from redis import Redis

from backend.embedded.child import Child
from backend.shared.doorbell import LOOK, QUEUE
from tests.faults.house import House, until
from tests.faults.posting import STUDY, post
from tests.faults.real_engine import World

Build = Callable[..., House]


def test_t4_broker_is_expendable(build: Build, world: World) -> None:
    """Valkey is killed in mid-run with twenty runs queued, stays down, and comes back with nothing."""
    house = build(world=world)
    house.start(1)
    peaceful = house.plant_real(arms=1, seeds=21, epochs=3, evaluations=2)
    house.wait_all()
    expected = house.digest(peaceful[0])
    post(house, paused=True)  # the first post reads the catalogue; not what is measured
    runs = house.plant_real(arms=1, seeds=21, epochs=3, evaluations=2)
    house.wait_step(runs[0], 1)
    assert house.broker is not None
    os.kill(house.broker.pid, signal.SIGKILL)
    answers = [post(house, paused=True) for _ in range(5)]
    down = time.monotonic()
    until(lambda: time.monotonic() - down > 5, "five seconds without a broker")
    shutil.rmtree(house.home / "valkey")
    house.start_broker()
    until(lambda: all(house.run(run_id).finished_at for run_id in runs), "the end of all runs", 120)
    statuses = [house.run(run_id).status for run_id in runs]
    print(
        f"T4: {statuses.count('succeeded')} of {len(statuses)} done; POST while down "
        f"{[code for code, _ in answers]} within {max(took for _, took in answers):.2f} s, bar 1 s"
    )
    assert set(statuses) == {"succeeded"}
    assert {code for code, _ in answers} == {202}
    assert max(took for _, took in answers) <= 1
    assert house.digest(runs[0]) == expected


def test_t6_duplicate_delivery_is_harmless(build: Build, world: World) -> None:
    """Fifty rings for each run, before, while and after they are trained."""
    from celery import Celery

    def ring(times: int) -> None:
        for _ in range(times):
            app.send_task(LOOK, queue=QUEUE, ignore_result=True)

    house = build(world=world)
    house.start()
    app = Celery("test", broker=house.settings.resolved_broker_url, set_as_current=False)
    runs = house.plant_real(epochs=5, evaluations=2)
    ring(100)
    house.wait_step(runs[0], 5)
    ring(100)
    assert set(house.wait_all()) == {"succeeded"}
    before = house.digest()
    ring(50)
    later = house.plant_real(arms=1, seeds=1, epochs=1, evaluations=1)
    house.wait_all()
    starts = [len(house.ends(run_id)) for run_id in runs]
    print(f"T6: starts {starts}")
    assert starts == [1] * 4
    assert house.ends(later[0]) == ["succeeded"]
    assert house.digest(runs[0]) == before
    app.close()


@pytest.mark.long
def test_t6_hostile_broker_delivers_again_and_again(build: Build, world: World) -> None:
    """Late acknowledgement and a visibility timeout of two seconds, under runs of eight; a message is replayed, too."""
    house = build(world=world)
    house.start_broker()
    house.start_api()
    for _ in range(2):
        house.start_worker(HOSTILE_BROKER="1")
    house.wait_workers(2)
    runs = [house.plant_real(arms=1, seeds=1, epochs=40)[0] for _ in range(4)]
    with Redis(unix_socket_path=str(house.socket)) as broker:
        message = json.dumps(json.loads(until(lambda: broker.hvals("unacked"), "a delivery")[0])[0])
        again = until(lambda: [m for m in broker.lrange(QUEUE, 0, -1) if b"redelivered" in m], "another delivery")
        statuses = house.wait_all()
        before = house.digest()
        for _ in range(20):
            broker.lpush(QUEUE, message)
        later = house.plant_real(arms=1, seeds=1, epochs=1, evaluations=1)
        house.wait_all()
    starts = [len(house.ends(run_id)) for run_id in runs]
    print(f"T6 hostile: delivered again: {len(again)}; starts {starts}; replayed 20 times afterwards: no change")
    assert statuses == ["succeeded"] * 4
    assert starts == [1] * 4
    assert house.ends(later[0]) == ["succeeded"]
    assert house.digest(*runs) == before


@pytest.mark.parametrize(("locked_s", "expected"), [(8, {202}), (14, {503})])
def test_t15_locked_database_is_waited_for(build: Build, locked_s: float, expected: set[int]) -> None:
    """SQLite: another program holds the lock under twenty writers; too long a lock is a 503 with Retry-After."""
    house = build()
    house.start_broker()
    house.start_api()
    post(house)
    answers: list[httpx.Response] = []
    errors: list[BaseException] = []

    def write() -> None:
        try:
            answers.append(httpx.post(f"{house.url}/api/v1/studies", json=STUDY, timeout=60))
        except BaseException as error:
            errors.append(error)

    other = sqlite3.connect(house.settings.sqlite_path, isolation_level=None)
    other.execute("BEGIN EXCLUSIVE")
    begun = time.monotonic()
    writers = [threading.Thread(target=write) for _ in range(20)]
    for writer in writers:
        writer.start()
    reading = httpx.get(f"{house.url}/api/v1/studies", timeout=5)
    if expected == {503}:
        until(lambda: len(answers) == 20, "twenty answers", 40)
    else:
        until(lambda: time.monotonic() - begun > locked_s, "the end of the lock")
    other.execute("COMMIT")
    other.close()
    for writer in writers:
        writer.join()
    codes = [answer.status_code for answer in answers]
    print(f"T15: locked {time.monotonic() - begun:.1f} s: {sorted(codes)}, reading meanwhile {reading.status_code}")
    assert errors == []
    assert reading.status_code == 200
    assert len(codes) == 20
    if expected == {503}:
        assert set(codes) <= {202, 503}
        assert 503 in codes
        assert all("retry-after" in answer.headers for answer in answers if answer.status_code == 503)
    else:
        assert set(codes) == expected


def test_t20_shutdown_with_open_streams_is_bounded(build: Build) -> None:
    house = build()
    house.start_broker()
    house.start_api()
    post(house)
    study_id = httpx.get(f"{house.url}/api/v1/studies").json()["items"][0]["id"]
    opened = threading.Semaphore(0)

    def listen() -> None:
        with (
            httpx.Client(timeout=30) as client,
            client.stream("GET", f"{house.url}/api/v1/studies/{study_id}/stream") as stream,
        ):
            opened.release()
            try:
                for _ in stream.iter_lines():
                    pass
            except httpx.HTTPError:
                return

    listeners = [threading.Thread(target=listen, daemon=True) for _ in range(20)]
    for listener in listeners:
        listener.start()
    for _ in listeners:
        assert opened.acquire(timeout=20)
    assert house.api is not None
    house.api.ask_to_stop()
    begun = time.monotonic()
    assert house.api.wait(5), "still running after 5 s"
    print(f"T20: 20 open streams, exit after {time.monotonic() - begun:.1f} s, bar 5 s")


def test_training_goes_on_while_the_web_server_is_away(build: Build, world: World) -> None:
    """kill -9 of the web server in mid-run; the run goes on, and the stream replays what was missed."""
    house = build(world=world)
    house.start(1)
    (run_id,) = house.plant_real(arms=1, seeds=1, epochs=40, evaluations=20)
    study_id = house.run(run_id).study_id
    house.wait_step(run_id, 20)
    seen = read_stream(house, study_id, 0, lambda event: event["kind"] == "evaluation")
    assert house.api is not None
    house.api.kill()
    at = house.run(run_id).step
    until(lambda: house.run(run_id).step > at + 20, "more steps without a web server")
    house.start_api()
    rest = read_stream(
        house, study_id, seen[-1]["seq"], lambda event: event["data"].get("status") in ("succeeded", "failed")
    )
    numbers = [event["seq"] for event in seen + rest]
    evaluations = [event["data"]["step"] for event in seen + rest if event["kind"] == "evaluation"]
    print(f"web server killed at step {at}; events {numbers[0]} to {numbers[-1]}, none missing")
    assert house.ends(run_id) == ["succeeded"]
    assert numbers == list(range(1, len(numbers) + 1))
    assert evaluations == list(range(24, 481, 24))


def read_stream(
    house: House, study_id: str, after: int, last: Callable[[dict[str, Any]], bool]
) -> list[dict[str, Any]]:
    """Events after a number, to the first one that is `last`."""
    from backend.client import Dropscope

    found = []
    with Dropscope(house.url) as client:
        for event in client.studies.events(study_id, after):
            found.append(event)
            if last(event):
                return found
    raise AssertionError("the stream ended")


def test_worker_that_cannot_start_says_so(build: Build) -> None:
    """A worker without its database ends with a sentence, not a traceback."""
    house = build()
    environment = {**house.environment(), "DROPSCOPE_DATABASE_URL": "mysql://nowhere/x"}
    worker = Child([sys.executable, "-P", "-m", "worker"], house.home / "logs" / "bad.log", environment)
    assert worker.wait(30)
    said = (house.home / "logs" / "bad.log").read_text()
    assert "Traceback" not in said
    assert "DROPSCOPE_DATABASE_URL" in said
