"""Speed of the page and of the comparison behind it: 40 arms x 5 seeds x 50 evaluations, numbers made up.

    python -m tests.bench.page                 every figure beside its bar
    python -m tests.bench.page --no-browser    only what the API takes

A real uvicorn in a process of its own serves a database that `page_data` fills; Chromium does the rest. Exit code 1
where a bar is broken, 2 where one is and another program was running meanwhile (wall time over processor time of a
fixed piece of work above 1.15): then only the server's own processor time judges anything.
"""

import argparse
import contextlib
import logging
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import psutil

from backend.embedded.web_server import WebServer, bind
from backend.main import create_app
from backend.shared.settings import Settings
from tests.bench.page_data import Trained, make

HOST = "127.0.0.1"
START_S = 30.0
BUSY = 1.15


@dataclass(frozen=True)
class Measured:
    """One figure in milliseconds, the most it may be, and the processor time that the server took for it."""

    name: str
    found: float
    bar: float
    cpu: float | None = None

    @property
    def line(self) -> str:
        """The figure as it is printed."""
        verdict = "ok" if self.found <= self.bar else "OVER"
        cpu = "" if self.cpu is None else f"   server CPU {self.cpu:.0f} ms"
        return f"{self.name:<58} {self.found:9.0f} ms   bar {self.bar:6.0f}   {verdict:4}{cpu}"


@contextlib.contextmanager
def serving(home: Path) -> Iterator[tuple[str, psutil.Process]]:
    """A server of its own process on that folder; yields its address and the process."""
    command = [sys.executable, "-m", "tests.bench.page", "--serve", str(home)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            url = f"http://{HOST}:{int(process.stdout.readline())}"
            end = time.monotonic() + START_S
            while True:
                with contextlib.suppress(httpx.TransportError):
                    if httpx.get(f"{url}/healthz").is_success:
                        break
                if time.monotonic() > end:
                    raise RuntimeError("the server did not answer in time")
                time.sleep(0.05)
            yield url, psutil.Process(process.pid)
        finally:
            process.terminate()


def serve(home: Path) -> None:
    """Serve that folder on a free port, whose number is the first line of the output."""
    settings = Settings(home=home, lease_s=7200.0, reaper_s=3600.0)
    app, listening = create_app(settings), bind(HOST, 0)
    web = WebServer(app, listening, "warning", app.state.watch.end_soon)
    web.start()
    print(listening.getsockname()[1], flush=True)
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    stop.wait()
    web.stop()


def of_the_api(url: str, server: psutil.Process, trained: Trained) -> Iterator[Measured]:
    """What the comparison takes: first read, read again, and after each of 20 new evaluations."""

    def timed(ask: Callable[[], httpx.Response], times: int) -> tuple[list[float], float]:
        """Milliseconds of each of several requests, and the server's processor time of one of them."""
        taken = []
        before = sum(server.cpu_times()[:2])
        for _ in range(times):
            start = time.perf_counter()
            ask().raise_for_status()
            taken.append((time.perf_counter() - start) * 1000)
        return taken, (sum(server.cpu_times()[:2]) - before) * 1000 / times

    with httpx.Client(base_url=f"{url}/api/v1", timeout=60) as http:
        small = http.get("/studies", params={"q": "small", "limit": 1}).json()["items"][0]["id"]
        http.get(f"/studies/{small}/comparison").raise_for_status()  # imports are no part of a study's first read
        address = f"/studies/{trained.study_id}/comparison"

        def fresh() -> httpx.Response:
            trained.report()
            start = time.perf_counter()
            answer = http.get(address)
            after.append((time.perf_counter() - start) * 1000)
            return answer

        after: list[float] = []
        cold, cpu = timed(lambda: http.get(address), 1)
        yield Measured("comparison, cold", cold[0], 1500, cpu)
        warm, cpu = timed(lambda: http.get(address), 40)
        yield Measured("comparison, warm, p95", float(np.percentile(warm, 95)), 100, cpu)
        _, cpu = timed(fresh, 20)
        yield Measured("comparison after one new evaluation, median", median(after), 300, cpu)
        yield Measured("comparison after one new evaluation, p95", float(np.percentile(after, 95)), 300, cpu)
        lists, cpu = timed(lambda: http.get("/studies", params={"limit": 50}), 10)
        yield Measured("list of 1,000 studies, first page, median", median(lists), 1000, cpu)


def contention() -> float:
    """Wall time over processor time of a quarter of a second of work."""
    wall, cpu = time.perf_counter(), time.process_time()
    while time.process_time() - cpu < 0.25:
        sum(range(1000))
    return (time.perf_counter() - wall) / (time.process_time() - cpu)


def main() -> int:
    """Print every figure; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--no-browser", action="store_true", help="only what the API takes")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    logging.basicConfig(level=logging.WARNING)
    if asked.serve:
        serve(asked.serve)
        return 0
    figures: list[Measured] = []
    with tempfile.TemporaryDirectory(prefix="dropscope-bench-") as folder:
        trained = make(Path(folder))
        with serving(Path(folder)) as (url, server):
            busy = [contention()]
            for figure in of_the_api(url, server, trained):
                figures.append(figure)
                print(figure.line, flush=True)
            if not asked.no_browser:
                from tests.bench.page_browser import of_the_page

                for name, found, bar in of_the_page(url, trained):
                    figures.append(Measured(name, found, bar))
                    print(figures[-1].line, flush=True)
            busy.append(contention())
        trained.database.close()
    contended = max(busy) > BUSY
    print(f"wall time over CPU time: {max(busy):.2f}{'; run it again on a quiet machine' if contended else ''}")
    broken = any(figure.found > figure.bar for figure in figures)
    return 2 if broken and contended else int(broken)


if __name__ == "__main__":
    sys.exit(main())
