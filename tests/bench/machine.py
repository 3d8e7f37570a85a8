"""Whether a figure may be believed: how much of the machine other programs used while it was taken."""

import os
import resource
import time
from dataclasses import dataclass
from pathlib import Path

FOREIGN = 0.05  # share of all processor time that others may take


@dataclass(frozen=True)
class Span:
    """Wall seconds of a piece of work, and the share of the machine's processor time that was not ours."""

    wall: float
    foreign: float

    @property
    def busy(self) -> bool:
        """Whether other programs took more than FOREIGN of the machine meanwhile."""
        return self.foreign > FOREIGN


class Stopwatch:
    """Times work in child processes that have ended, and have been waited for, when `stop` is called."""

    def __init__(self) -> None:
        self._wall, self._all, self._own = time.perf_counter(), _all_busy(), _own_busy()

    def stop(self) -> Span:
        """What the work took since this object was made."""
        wall = time.perf_counter() - self._wall
        foreign = (_all_busy() - self._all) - (_own_busy() - self._own)
        return Span(wall, max(0.0, foreign) / (wall * (os.cpu_count() or 1)))


def _all_busy() -> float:
    """Seconds that all processors have worked since the start of the machine, stolen time included."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:]
    user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
    return (user + nice + system + irq + softirq + steal) / os.sysconf("SC_CLK_TCK")


def _own_busy() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)
