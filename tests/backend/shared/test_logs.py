"""Each line of a log says what it speaks of, as text and as JSON, and nothing of one request shows in another."""

import io
import json
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from backend.shared import logs
from tests.backend.make_studies import post

log = logging.getLogger("a.test")


def lines(formatter: logging.Formatter) -> tuple[io.StringIO, logging.Handler]:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(formatter)
    return out, handler


@pytest.fixture
def told(request: pytest.FixtureRequest) -> Iterator[io.StringIO]:
    out, handler = lines(request.param)
    log.addHandler(handler)
    log.setLevel("INFO")
    yield out
    log.removeHandler(handler)


@pytest.mark.parametrize("told", [logs.TextLines()], indirect=True)
def test_text_names_what_it_speaks_of(told: io.StringIO) -> None:
    with logs.about(study_id="s1"), logs.about(claim_id="c1"):
        log.info("training %s", "r1")
    log.info("idle")
    first, second = told.getvalue().splitlines()
    assert first.endswith("INFO a.test [study_id=s1 claim_id=c1] training r1")
    assert second.endswith("INFO a.test idle")


@pytest.mark.parametrize("told", [logs.JsonLines()], indirect=True)
def test_json_is_one_object_a_line_with_its_traceback(told: io.StringIO) -> None:
    with logs.about(run_ids="r1,r2"):
        try:
            raise ValueError("two\nlines")
        except ValueError:
            log.exception("it failed\nbadly")
    (line,) = told.getvalue().splitlines()
    found = json.loads(line)
    assert (found["level"], found["run_ids"], found["message"]) == ("ERROR", "r1,r2", "it failed\nbadly")
    assert "ValueError: two" in found["exception"]


@pytest.mark.parametrize("told", [logs.JsonLines()], indirect=True)
def test_threads_do_not_mix_what_they_speak_of(told: io.StringIO) -> None:
    def speak(number: int) -> None:
        with logs.about(request_id=str(number)):
            for _ in range(50):
                log.info(str(number))

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(speak, range(8)))
    found = [json.loads(line) for line in told.getvalue().splitlines()]
    assert len(found) == 400
    assert all(line["request_id"] == line["message"] for line in found)


def test_a_request_is_named_in_the_service_s_lines(sqlite_client: TestClient) -> None:
    out, handler = lines(logs.JsonLines())
    service = logging.getLogger("backend")
    service.addHandler(handler)
    service.setLevel("INFO")
    try:
        study_id = post(sqlite_client)["id"]
        asked = sqlite_client.get(f"/api/v1/studies/{study_id}").headers["X-Request-ID"]
    finally:
        service.removeHandler(handler)
        service.setLevel("NOTSET")
    (queued,) = [line for line in map(json.loads, out.getvalue().splitlines()) if study_id in line["message"]]
    assert queued["request_id"].startswith("request_")
    assert queued["request_id"] != asked


def test_a_log_of_our_own_keeps_within_its_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 1000)
    handler = logs.file_handler(tmp_path / "logs" / "server.log")
    for number in range(100):
        handler.emit(logging.makeLogRecord({"msg": f"line {number} レビュー \udce9 {'x' * 50}"}))
    handler.close()
    files = {file.name: file.stat().st_size for file in (tmp_path / "logs").iterdir()}
    assert set(files) == {"server.log", "server.log.1"}
    assert max(files.values()) <= 1000


def test_a_log_that_a_process_appends_to_is_cut_under_it(tmp_path: Path) -> None:
    log_file = tmp_path / "worker-0.log"
    with log_file.open("ab", buffering=0) as writing:
        for number in range(50):
            writing.write(b"%03d %s\n" % (number, b"x" * 96))
            logs.cut(log_file, 1000)
            assert log_file.stat().st_size <= 1000
    kept = (log_file.with_name("worker-0.log.1").read_text() + log_file.read_text()).split("\n")
    assert kept[-2].startswith("049")
    logs.cut(tmp_path / "never written.log")
