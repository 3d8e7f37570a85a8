"""The trainer process as its supervisor sees it: commands in, events out, and a sure end.

It runs in a session of its own, dies with its supervisor, and gets an environment without our secrets.
"""

import contextlib
import os
import select
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import ValidationError

import backend
from backend.shared.child_process import wrapped
from backend.shared.trainer_protocol import EVENTS, Command, Event, Ready, Stop

TRAINER = (sys.executable, "-P", "-m", "worker.trainer")  # -P: never a `worker.py` of the current folder
_PASSED_ON = (
    "PATH",
    "HOME",
    "LANG",
    "TZ",
    "TMPDIR",
    "LD_LIBRARY_PATH",
    "CUDA_VISIBLE_DEVICES",
    "VIRTUAL_ENV",
    "DROPSCOPE_LOG_FORMAT",
)
_PASSED_ON_PREFIXES = ("LC_", "HF_HUB_", "HF_HOME", "XDG_CACHE", "NVIDIA_", "PYTORCH_")
_ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")
# glibc would give a step's memory back to the system and fetch it anew for the next. Other systems ignore these.
_KEEP_MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(512 << 20), "MALLOC_MMAP_THRESHOLD_": str(32 << 20)}
_TAIL_BYTES = 4000


def scrubbed(environment: Mapping[str, str]) -> dict[str, str]:
    """What of our environment a trainer may see: no database, no broker, no tokens; one thread for each library."""
    kept = {
        name: value
        for name, value in environment.items()
        if name in _PASSED_ON or (name.startswith(_PASSED_ON_PREFIXES) and "TOKEN" not in name)
    }
    paths = (str(Path(backend.__file__).parents[1]), environment.get("PYTHONPATH", ""))
    return {
        **kept,
        **_ONE_THREAD,
        **_KEEP_MEMORY,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONUNBUFFERED": "1",
        "TOKENIZERS_PARALLELISM": "false",
    }


class TrainerProcess:
    """One trainer; start it from a thread that lives as long as it is wanted."""

    def __init__(self, command: Sequence[str], log: Path) -> None:
        log.parent.mkdir(parents=True, exist_ok=True)
        self.log = log
        self.ready: Ready | None = None
        self._partial = b""
        self._events, writing = os.pipe()
        try:
            log.write_bytes(b"")
            with log.open("ab") as output:  # appended to: it may be cut while the trainer writes
                self._process = subprocess.Popen(
                    wrapped(
                        [*command, "--events-fd", str(writing)],
                        when_parent_dies=signal.SIGKILL,
                        ignore=(signal.SIGINT, signal.SIGTERM),
                    ),
                    stdin=subprocess.PIPE,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    pass_fds=(writing,),
                    start_new_session=True,
                    env=scrubbed(os.environ),
                )
        except OSError:
            os.close(self._events)
            raise
        finally:
            os.close(writing)
        self.pid = self._process.pid
        self.gone = False  # nothing more will be said
        self._closed = False

    def send(self, command: Command) -> None:
        """Hand over a command; a trainer that has died shows in `read`."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError, ValueError):
            self._process.stdin.write(command.model_dump_json().encode() + b"\n")
            self._process.stdin.flush()

    def read(self, timeout: float) -> list[Event]:
        """Events that have come, waiting for the first at most `timeout` seconds; sets `gone` at the end of all."""
        if self.gone:
            return []
        readable, _, _ = select.select([self._events], [], [], timeout)
        if not readable:
            return []
        chunk = os.read(self._events, 1 << 20)
        if not chunk:
            self.gone = True
        *lines, self._partial = (self._partial + chunk).split(b"\n")
        found = [event for event in map(self._parse, lines) if event is not None]
        self.ready = next((event for event in found if isinstance(event, Ready)), self.ready)
        return found

    def kill(self) -> None:
        """End the trainer and whatever it started, at once. May be called from any thread, and again."""
        if self._closed:
            return  # its number may be another process's by now
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)

    def wait(self, timeout: float) -> None:
        """Let a trainer that has said its last word exit by itself, so that its exit code is its own."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout)

    def close(self, grace_s: float = 0.0) -> int:
        """Ask an idle trainer to exit, then make it; return its exit code (negative: the signal that ended it)."""
        if grace_s > 0:
            self.send(Stop())
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(grace_s)
        if self._process.poll() is None:
            self.kill()
        code = self._process.wait()
        self.kill()  # what is left of its process group
        if self._process.stdin is not None:
            with contextlib.suppress(BrokenPipeError):
                self._process.stdin.close()
        if not self._closed:
            self._closed = True
            os.close(self._events)
        self.gone = True
        return code

    def tail(self) -> str:
        """The last lines that the trainer wrote for people."""
        with contextlib.suppress(OSError), self.log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().decode("utf-8", "replace").strip()
        return ""

    @staticmethod
    def _parse(line: bytes) -> Event | None:
        try:
            return EVENTS.validate_json(line)
        except ValidationError:
            return None  # a line that was cut off by the trainer's death
