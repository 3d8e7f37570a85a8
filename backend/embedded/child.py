"""A child process of the stack: in a session of its own, ended in order or by force, and never left behind."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.shared.child_process import wrapped


class Child:
    """A process with its group; its output goes to a log file."""

    def __init__(
        self,
        command: Sequence[str],
        log: Path,
        env: Mapping[str, str] | None = None,
        when_parent_dies: signal.Signals = signal.SIGTERM,
    ) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                wrapped(command, when_parent_dies),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=dict(env) if env is not None else None,
            )
        self.pid = self._process.pid
        self._killed = False

    def is_alive(self) -> bool:
        """Whether it still runs."""
        return self._process.poll() is None

    def ask_to_stop(self) -> None:
        """SIGTERM to the process itself, which tells its own children."""
        with contextlib.suppress(ProcessLookupError):
            self._process.terminate()

    def wait(self, timeout: float) -> bool:
        """Whether it ended within this time."""
        try:
            self._process.wait(max(timeout, 0))
        except subprocess.TimeoutExpired:
            return False
        return True

    def kill(self) -> None:
        """End it and all of its group at once; once it has ended so, a second call does nothing.

        By then the system may have given the group's number to somebody else.
        """
        if self._killed:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()
        self._killed = True

    def last_line(self) -> str:
        """The last thing it said."""
        with contextlib.suppress(OSError):
            lines = self.log.read_text(errors="replace").strip().splitlines()
            if lines:
                return lines[-1]
        return "it left no message"
