"""Uploads under load, each figure beside its bar: `python -m tests.bench.uploads`.

A gibibyte by one client, fifty files at once while somebody reads, and the look at a CSV of 100,000 rows.
"""

import csv
import random
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import httpx

from tests.backend.uploads.upload_server import API, Peak, Server, body, server, token_of

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
    """Growth, and how long others wait for an answer meanwhile.

    Three people send, each no more files at once than one may have. They send from a process of their own: in this one
    their threads would take turns with the reader's, whose waits would then be the sender's, not the server's.
    """
    people = [token_of(running.home, f"{name}@example.org") for name in ("ada", "grace", "joan")]
    uploads = [(people[at % 3], running.announce(token=people[at % 3])) for at in range(PARALLEL)]
    waits: list[float] = []
    with Peak(running.process.pid) as peak, httpx.Client(base_url=running.url, timeout=60) as client:
        client.headers["Authorization"] = f"Bearer {people[0]}"
        alone = [_wait(client) for _ in range(50)]
        begun = time.monotonic()
        sending = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.uploads", "send", running.url, *(",".join(one) for one in uploads)]
        )
        while sending.poll() is None:
            waits.append(_wait(client))
            time.sleep(0.01)
        took = time.monotonic() - begun
    assert sending.returncode == 0, "some file was not taken"
    p99 = statistics.quantiles(waits, n=100)[98]
    print(f"{PARALLEL} files of {EACH_BYTES >> 20} MiB at once, {PARALLEL * (EACH_BYTES >> 20) / took:.0f} MiB/s:")
    print(f"  others wait {p99:.0f} ms at p99 (bar 300), {statistics.median(waits):.0f} ms in the middle;")
    print(f"  with nobody sending {statistics.median(alone):.0f} ms; {len(waits)} requests")
    print(f"  the server grew by {peak.growth_mib:.0f} MiB")


def _wait(client: httpx.Client) -> float:
    begun = time.monotonic()
    client.get(f"{API}/studies").raise_for_status()
    return 1000 * (time.monotonic() - begun)


def send_all(url: str, uploads: list[str]) -> int:
    """Send all files at once; 0 where each of them came whole."""
    ended: list[int] = []

    def send(token: str, upload: str) -> None:
        where, headers = f"{url}{API}/uploads/{upload}", {"Authorization": f"Bearer {token}"}
        sent = httpx.put(f"{where}/content", content=body(EACH_BYTES), headers=headers, timeout=600)
        ended.append(sent.status_code)
        httpx.delete(where, headers=headers, timeout=60)

    threads = [threading.Thread(target=send, args=one.split(",")) for one in uploads]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    return 0 if ended == [200] * len(uploads) else 1


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
    with tempfile.TemporaryDirectory() as folder:
        with server(Path(folder) / "home") as running:
            one_gibibyte(running)
            preview(running, Path(folder))
        with server(Path(folder) / "team", DROPSCOPE_AUTH="true", DROPSCOPE_UPLOADS_PER_HOUR="1000") as running:
            fifty_at_once(running)
    return 0


if __name__ == "__main__":
    sys.exit(send_all(sys.argv[2], sys.argv[3:]) if sys.argv[1:2] == ["send"] else main())
