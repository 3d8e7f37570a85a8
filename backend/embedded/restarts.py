"""Keeps the children of the stack alive: one that ended by itself is started again, more slowly if it keeps ending."""

import time
from collections.abc import Callable
from dataclasses import dataclass

from .child import Child

SLOWEST_S = 30.0
SETTLED_S = 60.0  # a child that lived this long is started again at once


@dataclass
class Tended:
    """One child and how to start it anew."""

    name: str
    child: Child
    start: Callable[[], Child]
    begun: float
    delay_s: float = 0.0
    again_at: float | None = None

    def tend(self) -> str | None:
        """Start the child again if it ended and its delay is over; return a sentence when it is found to have ended."""
        at = time.monotonic()
        if self.child.is_alive():
            return None
        if self.again_at is None:
            self.child.kill()  # what is left of its group
            self.delay_s = 0.0 if at - self.begun > SETTLED_S else min(SLOWEST_S, max(0.5, self.delay_s * 2))
            self.again_at = at + self.delay_s
            return (
                f"{self.name} ended by itself ({self.child.last_line()}); starting it again. More in {self.child.log}"
            )
        if at >= self.again_at:
            self.child, self.begun, self.again_at = self.start(), at, None
        return None


def tended(name: str, start: Callable[[], Child]) -> Tended:
    """Start a child and have it tended."""
    return Tended(name, start(), start, time.monotonic())
