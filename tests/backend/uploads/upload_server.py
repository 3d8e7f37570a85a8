"""The product's own server in a process of its own, whose memory can be looked at, and files to send to it."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil

from backend.accounts import tokens
from backend.accounts.principal import Principal
from backend.shared.database import open_database
from backend.shared.ids import new_id
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_WORKSPACE
from backend.shared.team_tables import Membership, User

API = "/api/v1"
PIECE = b"a film that was neither good nor bad,1\n" * 1700  # about 64 KiB
DEADLINE_S = 60.0


@dataclass(frozen=True)
class Server:
    """A running `dropscope up` without workers."""

    url: str
    process: subprocess.Popen[bytes]
    home: Path

    def announce(self, size: int | None = None, name: str = "films.csv", token: str | None = None) -> str:
        """A new upload's id."""
        headers = {} if token is None else {"Authorization": f"Bearer {token}"}
        body = {"name": name, "bytes": size}
        made = httpx.post(f"{self.url}{API}/uploads", json=body, headers=headers, timeout=60)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def left(self) -> list[Path]:
        """Files of uploads that are there now."""
        folder = self.home / "uploads"
        return list(folder.iterdir()) if folder.is_dir() else []

    def wait_for_nothing_left(self) -> None:
        """Wait until no byte of an upload is there; AssertionError after a minute."""
        end = time.monotonic() + DEADLINE_S
        while self.left():
            assert time.monotonic() < end, self.left()
            time.sleep(0.1)


@contextmanager
def server(home: Path, **settings: str) -> Iterator[Server]:
    """Start it with its defaults but for these settings; stopped at the end."""
    environment = {**os.environ, "DROPSCOPE_HOME": str(home), "DROPSCOPE_PORT": "0", **settings}
    command = [str(Path(sys.executable).parent / "dropscope"), "up", "--no-browser", "--workers", "0"]
    said = home.parent / "said.txt"
    with said.open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        end = time.monotonic() + 90
        while "http://" not in (text := said.read_text()):
            assert process.poll() is None, text
            assert time.monotonic() < end, text
            time.sleep(0.1)
        url = "http://" + text.partition("http://")[2].split()[0].split("/")[0].rstrip(".,")
        yield Server(url, process, home)
    finally:
        process.terminate()
        process.wait(30)


def token_of(home: Path, email: str) -> str:
    """A token of a new member of the server with accounts on this home."""
    database = open_database(Settings(home=home))
    try:
        with database.write() as session:
            user_id = new_id("user")
            session.add(User(id=user_id, email=email, name="A member", password_hash="none"))
            session.flush()
            session.add(Membership(user_id=user_id, workspace_id=LOCAL_WORKSPACE, role="member"))
            session.flush()
            return tokens.create(session, Principal(user_id, LOCAL_WORKSPACE, "member"), "a script", "run", 1)[1]
    finally:
        database.close()


def body(size: int) -> Iterator[bytes]:
    """So many bytes in pieces of 64 KiB; no Content-Length goes with them."""
    while size > 0:
        yield PIECE[: min(size, len(PIECE))]
        size -= len(PIECE)


class Peak(threading.Thread):
    """The most resident memory that a process has had over what it had at the beginning, in MiB."""

    def __init__(self, pid: int) -> None:
        super().__init__(daemon=True)
        self._process = psutil.Process(pid)
        self._before = self._most = self._process.memory_info().rss
        self._done = threading.Event()

    def run(self) -> None:
        while not self._done.wait(0.02):
            self._most = max(self._most, self._process.memory_info().rss)

    def __enter__(self) -> "Peak":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self.join()

    @property
    def growth_mib(self) -> float:
        """MiB."""
        return (self._most - self._before) / 2**20
