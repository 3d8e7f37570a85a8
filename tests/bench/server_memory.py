"""Resident size of the web server over a large study that a page follows; the worker is a puppet."""

import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import psutil
import yaml

from backend.accounts.principal import Principal
from backend.charts import FIGURES
from backend.shared.database import open_database
from backend.shared.settings import Settings
from backend.shared.specs import StudySpec
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.studies import service as studies
from tests.e2e.puppet import Puppet

ARMS, SEEDS, AT_ONCE = 32, 20, 6
DEMO = Path(__file__).parents[2] / "docs" / "studies" / "demo.yaml"
MEBI = 1 << 20


def resident(*, told: bool = False) -> list[float]:
    """MiB of the server's process: first before the study, then after each pack of its 640 runs, looked at by a page.

    The page reads the stream, and after each pack all that the study's page shows. `told` prints as it goes.
    """
    with tempfile.TemporaryDirectory() as folder, _server(Path(folder)) as (process, url):
        settings = Settings(home=Path(folder))
        with closing(open_database(settings)) as database, httpx.Client(base_url=f"{url}/api/v1", timeout=60) as page:
            page.get("/studies").raise_for_status()
            sizes = [process.memory_info().rss / MEBI]
            owner = Principal(LOCAL_OWNER, LOCAL_WORKSPACE, "admin")
            study_id = studies.create(database, settings, _study(), owner)
            puppet = Puppet(database, settings)
            with _followed(url, study_id):
                while puppet.work(packs=1):
                    _look(page, study_id)
                    sizes.append(process.memory_info().rss / MEBI)
                    if told:
                        print(f"{len(sizes) - 1} packs: {sizes[-1]:.0f} MiB", flush=True)
    return sizes


def _study() -> StudySpec:
    demo = yaml.safe_load(DEMO.read_text())
    rates = [round(0.02 + 0.02 * n, 2) for n in range((ARMS - 1) // 2 + 1)]
    arms = [
        {"method": "none"},
        {"method": "hiddenkey", "rate": rates[: ARMS - 1 - len(rates)]},
        {"method": "dropkey", "rate": rates},
    ]
    return StudySpec.model_validate({**demo, "name": "640 runs", "seeds": SEEDS, "arms": arms})


def _look(page: httpx.Client, study_id: str) -> None:
    """What one look at a study asks for, as many at once as a browser asks."""
    own = f"/studies/{study_id}"
    paths = ["/studies", "/workers", own, f"{own}/comparison", f"{own}/comparison?curves=false"]
    paths += [f"{own}/figures/{name}" for name in FIGURES]
    paths += [f"{own}/runs?limit=200", f"{own}/export.csv"]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for answer in pool.map(page.get, paths):
            answer.raise_for_status()


@contextmanager
def _followed(url: str, study_id: str) -> Iterator[None]:
    """A page's stream, read to the last event as it comes."""
    ended = threading.Event()

    def read() -> None:
        with httpx.stream("GET", f"{url}/api/v1/studies/{study_id}/stream", timeout=60) as answer:
            for _ in itertools.takewhile(lambda _: not ended.is_set(), answer.iter_bytes()):
                pass

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    try:
        yield
    finally:
        ended.set()
        reader.join(10)


@contextmanager
def _server(home: Path) -> Iterator[tuple[psutil.Process, str]]:
    """`dropscope up` without workers."""
    command = [
        sys.executable,
        "-c",
        "from backend.cli import main; main()",
        "up",
        "--workers",
        "0",
        "--port",
        "0",
        "--no-browser",
    ]
    environment = os.environ | {"DROPSCOPE_HOME": str(home), "DROPSCOPE_LEASE_S": "600"}
    with (home / "up.log").open("w") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        told = home / "stack.json"
        for _ in range(600):
            if told.exists() or process.poll() is not None:
                break
            time.sleep(0.1)
        yield psutil.Process(process.pid), json.loads(told.read_text())["url"]
    finally:
        process.terminate()
        process.wait(30)
