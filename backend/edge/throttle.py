"""So many tries in so many seconds: kept in the memory of one process, for login and share links."""

import math
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable

from backend.shared.errors import TooManyRequests

MOST_KEYS = 10_000


class Throttle:
    """Counts tries by key in a sliding window; safe between threads."""

    def __init__(self, most: int = 10, within_s: float = 60.0, clock: Callable[[], float] = time.monotonic) -> None:
        self.most, self.within_s, self._clock = most, within_s, clock
        self._tries: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def count(self, key: str, *, most: int | None = None, within_s: float | None = None) -> None:
        """Count a try. Raises TooManyRequests, and then counts nothing.

        `most` and `within_s` are this throttle's own unless given; a key keeps to one pair of them.
        """
        at, most, within_s = self._clock(), most or self.most, within_s or self.within_s
        with self._lock:
            tries = self._tries.setdefault(key, deque())
            self._tries.move_to_end(key)
            while tries and tries[0] <= at - within_s:
                tries.popleft()
            if len(tries) >= most:
                wait = math.ceil(tries[0] + within_s - at)
                raise TooManyRequests(f"too many tries; wait {wait} s and try again", wait)
            tries.append(at)
            while len(self._tries) > MOST_KEYS:
                self._tries.popitem(last=False)
