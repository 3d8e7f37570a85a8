"""T22: files of the largest size through a real server: memory, the cap, breaks, and what is left of them."""

import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.backend.uploads.upload_server import API, PIECE, Peak, Server, body, server

GIB = 1 << 30
MOST_GROWTH_MIB = 64
pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """With a short wait for unfinished uploads; everything else as it comes."""
    home = tmp_path_factory.mktemp("limits") / "home"
    with server(home, DROPSCOPE_UPLOAD_IDLE_S="3", DROPSCOPE_DISK_FLOOR_BYTES="0") as found:
        yield found


def test_a_file_of_one_gibibyte_takes_no_memory_and_one_byte_more_is_refused(running: Server) -> None:
    with httpx.Client(base_url=running.url, timeout=300) as client:
        upload = running.announce()
        with Peak(running.process.pid) as peak:
            sent = client.put(f"{API}/uploads/{upload}/content", content=body(GIB))
        assert sent.status_code == 200, sent.text
        assert (sent.json()["received"], sent.json()["complete"]) == (GIB, True)
        sys.stdout.write(f"1 GiB: the server grew by {peak.growth_mib:.0f} MiB\n")
        assert peak.growth_mib <= MOST_GROWTH_MIB
        assert client.delete(f"{API}/uploads/{upload}").status_code == 204
        assert running.left() == []

        assert client.post(f"{API}/uploads", json={"name": "a.csv", "bytes": GIB + 1}).status_code == 413
        upload = running.announce()
        with _begun(running, upload, f"Content-Length: {GIB + 1}") as line:
            assert int(line.recv(100).split()[1]) == 413
        with Peak(running.process.pid) as peak:
            status = _status_of_unannounced(running, upload, GIB + 1)
        assert status == 413
        assert peak.growth_mib <= MOST_GROWTH_MIB
        assert client.get(f"{API}/uploads/{upload}").status_code == 404
        assert running.left() == []


def _status_of_unannounced(running: Server, upload: str, size: int) -> int:
    """What a chunked body gets: read from the socket, because the server closes it before the last chunk is sent."""
    with _begun(running, upload) as line:
        try:
            for piece in body(size):
                line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            line.sendall(b"0\r\n\r\n")
        except (BrokenPipeError, ConnectionResetError):
            pass
        return int(line.recv(100).split()[1])


def _begun(running: Server, upload: str, kind: str = "Transfer-Encoding: chunked") -> socket.socket:
    parts = urlsplit(running.url)
    line = socket.create_connection((parts.hostname or "", parts.port or 0), timeout=60)
    head = f"PUT {API}/uploads/{upload}/content HTTP/1.1\r\nHost: {parts.netloc}\r\n{kind}\r\n\r\n"
    line.sendall(head.encode())
    return line


def test_what_has_come_stays_for_a_moment_then_nothing_is_left(running: Server) -> None:
    upload = running.announce(GIB)
    with _begun(running, upload) as line:
        for piece in body(20 << 20):
            line.sendall(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
    with httpx.Client(base_url=running.url, timeout=60) as client:
        end = time.monotonic() + 30
        while (found := client.get(f"{API}/uploads/{upload}")).json()["received"] < 19 << 20:
            assert time.monotonic() < end, found.text
            time.sleep(0.05)
        offset = client.get(f"{API}/uploads/{upload}").json()["received"]
        more = client.put(f"{API}/uploads/{upload}/content", params={"offset": offset}, content=PIECE)
        assert (more.status_code, more.json()["received"]) == (200, offset + len(PIECE))
        running.wait_for_nothing_left()
        assert client.get(f"{API}/uploads/{upload}").status_code == 404


def test_a_body_of_a_byte_a_second_is_cut(running: Server) -> None:
    upload = running.announce(GIB)
    with _begun(running, upload) as line:
        line.settimeout(1.0)
        begun, said = time.monotonic(), b""
        while not said and time.monotonic() - begun < 60:
            try:
                line.sendall(b"1\r\na\r\n")
                said = line.recv(1000)
            except TimeoutError:
                continue
        assert said.startswith(b"HTTP/1.1 408"), said
    running.wait_for_nothing_left()


def test_two_lines_for_one_upload_never_mix(running: Server, tmp_path: Path) -> None:
    """A laptop changed its network: the old connection hangs, a new request goes on, the old one can add nothing."""
    upload = running.announce(3 * len(PIECE))
    with _begun(running, upload) as old, httpx.Client(base_url=running.url, timeout=60) as client:
        old.sendall(f"{len(PIECE):x}\r\n".encode() + PIECE + b"\r\n")
        where = f"{API}/uploads/{upload}"
        sent = client.put(f"{where}/content", params={"offset": 0}, content=PIECE + PIECE)
        assert sent.status_code == 200, sent.text
        old.sendall(f"{len(PIECE):x}\r\n".encode() + b"?" * len(PIECE) + b"\r\n0\r\n\r\n")
        assert int(old.recv(100).split()[1]) == 409
        last = client.put(f"{where}/content", params={"offset": 2 * len(PIECE)}, content=PIECE)
        assert last.json()["complete"]
        assert (running.home / "uploads" / upload).read_bytes() == 3 * PIECE
        assert client.delete(where).status_code == 204
