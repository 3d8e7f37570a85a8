"""Connections that ask nothing cost nobody their answer, and do not fill the log."""

import json
import logging
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from backend.embedded import connections, web_server
from backend.embedded.seldom import MOST, WITHIN_S, Seldom

SERVER = """
import asyncio, json, resource, sys
hard = int(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (min(256, hard), hard))
from backend.embedded import web_server

async def app(scope, receive, send):
    if scope["type"] != "http":
        return
    while (await receive()).get("more_body"):
        pass
    if scope["path"] == "/much":
        try:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            for _ in range(1600):
                await send({"type": "http.response.body", "body": bytes(16384), "more_body": True})
            await send({"type": "http.response.body", "body": b""})
        finally:
            print("ended", flush=True)
        return
    if scope["path"] == "/slow":
        await asyncio.sleep(1)
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})

listening = web_server.bind("127.0.0.1", 0)
server = web_server.WebServer(app, listening, "WARNING", lambda: None, headers_s=float(sys.argv[2]), taken_s=1.5)
server.start()
soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
print(json.dumps([listening.getsockname()[1], soft]), flush=True)
sys.stdin.read()
server.stop()
"""


@contextmanager
def _serving(files: int, headers_s: float) -> Iterator[tuple[int, int, "subprocess.Popen[str]"]]:
    """(port, open files it may have, process) of a server that may have so many files."""
    command = [sys.executable, "-c", SERVER, str(files), str(headers_s)]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, text=True, env=dict(os.environ), **pipes) as child:  # type: ignore[call-overload]
        try:
            port, soft = json.loads(child.stdout.readline())
            yield port, soft, child
        finally:
            child.stdin.close()
            child.wait(20)


def _ask(port: int) -> float:
    began = time.monotonic()
    answer = httpx.get(f"http://127.0.0.1:{port}/", timeout=10, trust_env=False)
    assert answer.text == "ok"
    return time.monotonic() - began


def test_more_idle_connections_than_files_keep_nobody_waiting() -> None:
    with _serving(400, headers_s=60) as (port, soft, child), ExitStack() as idle:
        assert soft == 400, "the soft limit is raised to the hard one"
        for _ in range(600):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        assert max(_ask(port) for _ in range(20)) < 2
        child.stdin.close()  # type: ignore[union-attr]
        said = child.stderr.read()  # type: ignore[union-attr]
        assert len(said) < 20_000, said[:2000]


def test_an_answer_that_nobody_takes_is_ended_and_a_slow_line_is_served() -> None:
    """25 MiB: more than the system holds between the two."""
    with _serving(400, headers_s=60) as (port, _, child):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as deaf:
            deaf.sendall(b"GET /much HTTP/1.1\r\nHost: a\r\n\r\n")
            deaf.recv(1)  # and never again
            assert child.stdout.readline() == "ended\n"  # type: ignore[union-attr]
            assert _ask(port) < 2
        taken = 0
        with httpx.stream("GET", f"http://127.0.0.1:{port}/much", timeout=10, trust_env=False) as answer:
            for number, piece in enumerate(answer.iter_raw(1 << 20)):
                taken += len(piece)
                if number < 8:
                    time.sleep(0.4)  # longer in all than an answer may wait
        assert taken == 1600 * 16384


def test_a_connection_that_sends_no_whole_request_is_closed() -> None:
    with _serving(400, headers_s=0.5) as (port, _, _child):
        for begun in (b"", b"GET / HTTP/1.1\r\nHost: a\r\n"):
            with socket.create_connection(("127.0.0.1", port), timeout=5) as one:
                one.sendall(begun)
                for _ in range(8):  # a byte now and then is no request
                    time.sleep(0.1)
                    try:
                        one.sendall(b"X" if begun else b"")
                    except OSError:
                        break
                with suppress(ConnectionResetError):
                    assert one.recv(100) == b""


def test_an_answer_that_takes_longer_is_not_cut_short_and_a_connection_is_used_again() -> None:
    with _serving(400, headers_s=0.5) as (port, _, _child):
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10, trust_env=False) as http:
            assert http.get("/slow").text == "ok"
            assert [http.get("/").text for _ in range(3)] == ["ok"] * 3


def test_the_busy_are_never_the_ones_that_make_room() -> None:
    assert connections.Crowd(1024).most == 768
    assert connections.Crowd(100).most == 50
    assert connections.Crowd(10**6).most == connections.MOST
    assert web_server.BACKLOG < connections.OWN_FILES


def test_lines_that_begin_alike_are_said_now_and_then() -> None:
    at, seldom = 0.0, Seldom(lambda: at)

    def said(text: str) -> tuple[bool, str]:
        record = logging.LogRecord("uvicorn.error", logging.WARNING, "", 0, text, (), None)
        return seldom.filter(record), record.getMessage()

    found = [said("Invalid HTTP request received.") for _ in range(MOST + 5)]
    assert [is_said for is_said, _ in found] == [True] * MOST + [False] * 5
    assert "left out for a minute" in found[MOST - 1][1]
    assert said("something else") == (True, "something else")
    at = WITHIN_S
    assert said("Invalid HTTP request received.")[0]
    for number in range(1000):
        said(f"kind {number}")
    assert len(seldom._kinds) <= 100


@pytest.mark.slow
def test_a_thousand_and_twelve_idle_connections_at_the_usual_limit() -> None:
    connections.raise_file_limit()  # of this process, which holds the other ends
    with _serving(1024, headers_s=60) as (port, soft, _child), ExitStack() as idle:
        assert soft == 1024
        for _ in range(1012):
            idle.enter_context(socket.create_connection(("127.0.0.1", port), timeout=5))
        assert max(_ask(port) for _ in range(50)) < 2
