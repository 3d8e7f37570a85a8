"""The live stream over a real socket: replay by number, news as they happen, and an end that does not hang."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi import FastAPI

from backend.main import create_app
from backend.shared.settings import Settings
from backend.studies import stream
from tests.backend.make_studies import API, make, train


@dataclass(frozen=True)
class Served:
    """A server in a thread of this process."""

    url: str
    app: FastAPI
    server: uvicorn.Server
    thread: threading.Thread


@pytest.fixture
def served(settings: Settings) -> Iterator[Served]:
    app = create_app(settings)
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        config = uvicorn.Config(app, log_level="warning", timeout_graceful_shutdown=3, log_config=None)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
        thread.start()
        while not server.started:
            time.sleep(0.01)
        yield Served(f"http://127.0.0.1:{listening.getsockname()[1]}", app, server, thread)
        app.state.watch.end_soon()
        server.should_exit = True
        thread.join(10)


def _events(response: httpx.Response) -> Iterator[dict[str, str]]:
    event: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(":")
            event[name] = value.removeprefix(" ")
        else:
            yield event
            event = {}


def _follow(served: Served, study_id: str, last: int | None = None) -> Any:
    headers = {} if last is None else {"Last-Event-ID": str(last)}
    return httpx.stream("GET", f"{served.url}{API}/studies/{study_id}/stream", headers=headers, timeout=20)


def _numbered(events: Iterator[dict[str, str]], count: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while len(found) < count:
        event = next(events)
        if "data" in event:
            data = json.loads(event["data"])
            assert (event["id"], event["event"]) == (str(data["seq"]), data["kind"])
            found.append(data)
    return found


def test_the_stream_replays_then_tells_news_as_they_happen(served: Served, settings: Settings) -> None:
    database = served.app.state.context.database
    study_id = make(database, settings)
    with _follow(served, study_id) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        events = _events(response)
        assert next(events)["retry"] == "2000"
        assert _numbered(events, 1)[0]["data"] == {"changed": ["created"], "runs": 4}
        train(database, settings.home, packs=1)
        written = time.monotonic()
        live = _numbered(events, 3)
        assert time.monotonic() - written < 5
        assert [event["seq"] for event in live] == [2, 3, 4]
        assert live[0]["data"]["status"] == "running"


def test_a_client_that_comes_back_misses_and_repeats_nothing(served: Served, settings: Settings) -> None:
    database = served.app.state.context.database
    study_id = make(database, settings)
    train(database, settings.home)
    with database.read() as session:
        last = stream.store.last_seq(session, study_id)
    assert last is not None
    seen: list[int] = []
    while len(seen) < last:
        with _follow(served, study_id, seen[-1] if seen else None) as response:
            seen += [event["seq"] for event in _numbered(_events(response), min(7, last - len(seen)))]
    assert seen == list(range(1, last + 1))


def test_a_quiet_stream_says_that_it_is_alive_and_ends_in_time(
    served: Served, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "HEARTBEAT_S", 0.1)
    monkeypatch.setattr(stream, "LONGEST_S", 0.5)
    study_id = make(served.app.state.context.database, settings)
    with _follow(served, study_id, 1) as response:
        said = list(_events(response))
    assert {"": "alive"} in said
    assert all("data" not in event for event in said)


def test_open_streams_hold_no_transaction(served: Served, settings: Settings) -> None:
    study_id = make(served.app.state.context.database, settings)
    with _follow(served, study_id) as one, _follow(served, study_id) as two:
        open_events = [_events(response) for response in (one, two)]  # kept: a dropped one closes its stream
        for events in open_events:
            _numbered(events, 1)
        assert served.app.state.watch.followers == 2
        deadline = time.monotonic() + 5
        pool: Any = served.app.state.context.database.engine.pool
        while pool.checkedout() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert pool.checkedout() == 0


def test_the_server_ends_with_streams_open(served: Served, settings: Settings) -> None:
    study_id = make(served.app.state.context.database, settings)
    with _follow(served, study_id) as response:
        events = _events(response)
        _numbered(events, 1)
        started = time.monotonic()
        served.app.state.watch.end_soon()
        served.server.should_exit = True
        served.thread.join(10)
        assert not served.thread.is_alive()
        assert time.monotonic() - started < 5


def test_a_stream_of_no_study_is_not_found(served: Served) -> None:
    answer = httpx.get(f"{served.url}{API}/studies/none/stream")
    assert (answer.status_code, answer.json()["code"]) == (404, "not_found")
