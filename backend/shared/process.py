"""Which process, on which host: enough to tell on the same host whether it is still alive."""

import hashlib
import os
import socket
from dataclasses import dataclass
from pathlib import Path

import psutil


@dataclass(frozen=True)
class ProcessId:
    """A process; `started` tells it from a later one with the same pid."""

    host: str
    pid: int
    started: float

    def is_alive(self) -> bool:
        """Whether it runs on this host (only ask when `host` is `this_host()`); a zombie does not."""
        return abs(_started(self.pid) - self.started) < 0.5


def this_host() -> str:
    """The host's name and a mark of this boot and this space of pids: two containers never look alike."""
    mark = ""
    for path, read in (("/proc/sys/kernel/random/boot_id", Path.read_text), ("/proc/self/ns/pid", os.readlink)):
        try:
            mark += read(Path(path))
        except OSError:
            continue  # not Linux: the name alone
    return f"{socket.gethostname()}-{hashlib.sha256(mark.encode()).hexdigest()[:8]}"


def this_process() -> ProcessId:
    """The calling process."""
    return ProcessId(this_host(), os.getpid(), _started(os.getpid()))


def _started(pid: int) -> float:
    """When a process started, in seconds since boot on Linux (where setting the clock cannot move it); NaN if dead."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return float("nan")
    except (OSError, ProcessLookupError):
        return float("nan")
    else:
        return float("nan") if fields[0] in "ZX" else int(fields[19]) / os.sysconf("SC_CLK_TCK")
    try:
        process = psutil.Process(pid)
        return float("nan") if process.status() == psutil.STATUS_ZOMBIE else process.create_time()
    except psutil.Error:
        return float("nan")
