"""A server with accounts as a process of its own, so that its CPU time can be read and its answers timed from outside.

`python -m tests.team.flooded HOME` prints its address, an admin's cookie and the ids of a study and an upload as JSON,
and serves until its standard input ends. The open door is wide open: what is measured is what stands behind it.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil
from fastapi.testclient import TestClient

from backend.edge import open_door
from backend.embedded import web_server
from backend.shared.settings import Settings
from tests.backend.make_studies import API, post
from tests.team.people import serving


@dataclass(frozen=True)
class Flooded:
    """The server as its guests see it."""

    url: str
    cookie: str
    ids: dict[str, str]
    process: psutil.Process

    def cpu_s(self) -> float:
        """Seconds of a core it has taken so far."""
        times = self.process.cpu_times()
        return float(times.user + times.system)

    @property
    def headers(self) -> dict[str, str]:
        """Of the admin's browser."""
        return {"Cookie": self.cookie, "Origin": self.url, "Content-Type": "application/json"}


@contextmanager
def flooded(home: Path) -> Iterator[Flooded]:
    """The server, until the block ends."""
    command = [sys.executable, "-m", "tests.team.flooded", str(home)]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        try:
            told = json.loads(child.stdout.readline())
            yield Flooded(told["url"], told["cookie"], told["ids"], psutil.Process(child.pid))
        finally:
            child.stdin.close()
            child.wait(20)


def main(home: Path) -> None:
    """Serve until standard input ends."""
    open_door.MOST.update(dict.fromkeys(open_door.MOST, 10**9))
    settings = Settings(home=home, studies_per_hour=10**6, uploads_per_hour=10**6)
    with serving(settings) as team:
        admin = team.person("admin")
        client = TestClient(team.app, base_url="http://127.0.0.1", headers=admin.headers)
        ids = {
            "study_id": post(client, seeds=1)["id"],
            "upload_id": client.post(f"{API}/uploads", json={"name": "a.csv"}).json()["id"],
            "user_id": team.person("viewer").id,
        }
        listening = web_server.bind("127.0.0.1", 0)
        server = web_server.WebServer(team.app, listening, "ERROR", team.app.state.watch.end_soon)
        server.start()
        url = web_server.address(listening, "127.0.0.1")
        sys.stdout.write(json.dumps({"url": url, "cookie": admin.headers["Cookie"], "ids": ids}) + "\n")
        sys.stdout.flush()
        sys.stdin.read()
        server.stop()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
