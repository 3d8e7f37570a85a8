"""What anybody can make a server say is said now and then, not each time: a log is a disk that others fill."""

import logging
import time
from collections.abc import Callable

MOST, WITHIN_S = 10, 60.0  # lines that begin alike
MOST_KINDS = 100
_ALIKE = 60  # characters


class Seldom(logging.Filter):
    """Lets ten lines a minute that begin alike pass, and says with the last of them that others are left out."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._clock = clock
        self._kinds: dict[str, tuple[float, int]] = {}  # the start of a line → since when, how many

    def filter(self, record: logging.LogRecord) -> bool:
        """Whether this one is said."""
        kind, at = str(record.msg)[:_ALIKE], self._clock()
        since, said = self._kinds.get(kind, (at, 0))
        if at - since >= WITHIN_S:
            since, said = at, 0
        if len(self._kinds) >= MOST_KINDS:
            self._kinds.clear()
        self._kinds[kind] = since, said + 1
        if said == MOST - 1:
            record.msg = f"{record.getMessage()} (more lines like this are left out for a minute)"
            record.args = ()
        return said < MOST
