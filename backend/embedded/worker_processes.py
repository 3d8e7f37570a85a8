"""The workers of the embedded stack: one a GPU, or one a core, each a process group of its own."""

import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import backend
from backend.shared.database import Database
from backend.shared.process import ProcessId, this_host
from backend.shared.settings import Settings
from backend.shared.store import workers

from .child import Child

DRAIN_S = 3.5  # what a trainer gets for its checkpoint when the stack stops
REGISTER_S = 30.0


def gpus() -> list[str]:
    """The GPUs that this process may use, as CUDA numbers or names them; empty without the driver."""
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is not None:
        return [part.strip() for part in visible.split(",") if part.strip() not in ("", "-1", "NoDevFiles")]
    numbers = [int(m[1]) for m in map(re.compile(r"nvidia(\d+)").fullmatch, os.listdir("/dev")) if m]
    return [str(number) for number in sorted(numbers)]


def cores() -> int:
    """Processor cores that this process may use, as the container's limit allows."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        quota, period = Path("/sys/fs/cgroup/cpu.max").read_text().split()
        return max(1, min(usable, int(quota) // int(period)))
    except (OSError, ValueError):
        return usable  # no limit ("max"), or no such control group


def count(settings: Settings) -> int:
    """How many workers the settings ask for."""
    return settings.workers if settings.workers is not None else len(gpus()) or cores()


def command(*arguments: str) -> list[str]:
    """How a worker is started; -P keeps a `worker.py` of the current folder out."""
    return [sys.executable, "-P", "-m", "worker", *arguments]


def environment(settings: Settings, broker_url: str, gpu: str | None = None) -> dict[str, str]:
    """Our environment for a worker, with what this stack decided."""
    paths = (str(Path(backend.__file__).parents[1]), os.environ.get("PYTHONPATH", ""))
    decided = {
        "DROPSCOPE_HOME": str(settings.home.absolute()),
        "DROPSCOPE_SHARED_FOLDER": str(settings.shared.absolute()),
        "DROPSCOPE_BROKER_URL": broker_url,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
    }
    if gpu is not None:
        decided["CUDA_VISIBLE_DEVICES"] = gpu
    return {**os.environ, **decided}


def start(settings: Settings, broker_url: str, number: int) -> Child:
    """Start the worker of this number; it registers by itself."""
    cards: Sequence[str | None] = gpus() or [None]
    return Child(
        command("--drain-s", str(DRAIN_S)),
        settings.home / "logs" / f"worker-{number}.log",
        environment(settings, broker_url, cards[number % len(cards)]),
    )


def wait_registered(database: Database, children: Sequence[Child]) -> bool:
    """Whether all workers have registered in time: a pack is cut by how many are idle."""
    end = time.monotonic() + REGISTER_S
    while time.monotonic() < end and all(child.is_alive() for child in children):
        with database.read() as session:
            known = [ProcessId(w.host, w.pid, w.process_started) for w in workers.running(session)]
        if sum(process.host == this_host() and process.is_alive() for process in known) >= len(children):
            return True
        time.sleep(0.1)
    return not children


def stop(children: Sequence[Child], within_s: float) -> None:
    """Drain all workers at once; those that take too long are killed."""
    end = time.monotonic() + within_s
    for child in children:
        child.ask_to_stop()
    for child in children:
        if not child.wait(end - time.monotonic()):
            child.kill()
