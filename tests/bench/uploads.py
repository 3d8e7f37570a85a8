"""Uploads under load, each figure beside its bar: `python -m tests.bench.uploads`.

A gibibyte by one client, fifty files at once while somebody reads, and the look at a CSV of 100,000 rows.
"""

import csv
import random
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.team.upload_server import API, Peak, Server, body, server

GIB = 1 << 30
PARALLEL, EACH_BYTES = 50, 8 << 20
WORDS = ["the", "film", "is", "good", "bad", "story", "about", "people", "who", "never", "were", "there", "and", "came"]


def one_gibibyte(running: Server) -> None:
    """Growth and pace of one large upload."""
    upload = running.announce()
    begun = time.monotonic()
    with Peak(running.process.pid) as peak:
        httpx.put(f"{running.url}{API}/uploads/{upload}/content", content=body(GIB), timeout=600).raise_for_status()
    took = time.monotonic() - begun
    httpx.delete(f"{running.url}{API}/uploads/{upload}", timeout=60)
    print(f"1 GiB: {1024 / took:.0f} MiB/s; the server grew by {peak.growth_mib:.0f} MiB (bar 64)")


def fifty_at_once(running: Server) -> None:
    """Growth, and how long others wait for an answer meanwhile."""
    waits: list[float] = []
    done = threading.Event()

    def read() -> None:
        with httpx.Client(base_url=running.url, timeout=60) as client:
            while not done.wait(0.01):
                begun = time.monotonic()
                client.get(f"{API}/studies").raise_for_status()
                waits.append(1000 * (time.monotonic() - begun))

    def send(upload: str) -> None:
        where = f"{running.url}{API}/uploads/{upload}"
        httpx.put(f"{where}/content", content=body(EACH_BYTES), timeout=600).raise_for_status()
        httpx.delete(where, timeout=60)

    uploads = [running.announce() for _ in range(20)]  # as many as one person may have
    reader = threading.Thread(target=read)
    with Peak(running.process.pid) as peak:
        reader.start()
        left = PARALLEL
        while left > 0:
            some = [threading.Thread(target=send, args=(upload,)) for upload in uploads]
            for one in some:
                one.start()
            for one in some:
                one.join()
            left -= len(some)
            uploads = [running.announce() for _ in range(min(20, max(left, 0)))]
        done.set()
        reader.join()
    p99 = statistics.quantiles(waits, n=100)[98]
    print(f"{PARALLEL} files, 20 at once: others wait {p99:.0f} ms at p99 (bar 300)")
    print(f"{PARALLEL} files, 20 at once: the server grew by {peak.growth_mib:.0f} MiB")


def preview(running: Server, folder: Path) -> None:
    """A CSV of 100,000 rows, looked at three times with token lengths."""
    draw, path = random.Random(1), folder / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["id", "text", "label"])
        for i in range(100_000):
            writer.writerow([i, " ".join(draw.choices(WORDS, k=draw.randint(5, 40))), draw.choice(["pos", "neg"])])
    upload = running.announce(path.stat().st_size, "rows.csv")
    where = f"{running.url}{API}/uploads/{upload}"
    httpx.put(f"{where}/content", content=path.read_bytes(), timeout=60).raise_for_status()
    for name, plan in (("first", {}), ("again", {}), ("with lengths", {"model": "minilm-l6"})):
        begun = time.monotonic()
        found = httpx.post(f"{where}/preview", json=plan, timeout=60).raise_for_status().json()
        took = time.monotonic() - begun
        print(f"preview of {found['read']:,} rows, {path.stat().st_size / 2**20:.0f} MiB, {name}: {took:.2f} s (bar 2)")
    begun = time.monotonic()
    httpx.post(f"{where}/commit", json={"task": "classification"}, timeout=120).raise_for_status()
    print(f"commit of them: {time.monotonic() - begun:.2f} s")


def main() -> int:
    """Print every figure."""
    with tempfile.TemporaryDirectory() as folder, server(Path(folder) / "home") as running:
        one_gibibyte(running)
        fifty_at_once(running)
        preview(running, Path(folder))
    return 0


if __name__ == "__main__":
    sys.exit(main())
