"""Start a child process that cannot outlive its parent: run as a script between the two, it sets up and then execs.

It imports the standard library only and is run by its path in isolated mode, so it costs some 20 ms.
"""

import ctypes
import os
import resource
import signal
import sys
from collections.abc import Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # <linux/prctl.h>; the signal follows the death of the *thread* that started the child


def wrapped(
    command: Sequence[str], when_parent_dies: signal.Signals, ignore: Sequence[signal.Signals] = ()
) -> list[str]:
    """The command, to be started by this process from a thread that lives as long as the child is wanted."""
    ignored = ",".join(str(int(number)) for number in ignore)
    script = str(Path(__file__).resolve())
    return [sys.executable, "-I", script, str(int(when_parent_dies)), str(os.getpid()), ignored, *command]


def die_with_parent(number: signal.Signals, parent: int) -> None:
    """Have the system send this process a signal when its parent ends; exit at once if it already has."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
    if os.getppid() != parent:
        sys.exit("the parent process ended before its child was set up")


def main(arguments: Sequence[str]) -> None:
    """`child_process.py SIGNAL PARENT IGNORED,... COMMAND...`: set up this process, then become the command."""
    number, parent, ignored, *command = arguments
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core file would hold a person's data
    for signal_number in filter(None, ignored.split(",")):
        signal.signal(int(signal_number), signal.SIG_IGN)
    die_with_parent(signal.Signals(int(number)), int(parent))
    os.execv(command[0], command)


if __name__ == "__main__":
    main(sys.argv[1:])
