"""Keeps what the C library holds back small, in the process that serves for months.

Each of its threads would otherwise get an arena of its own, which grows to the largest answer that it has made and
never shrinks: eight a core, in a process with forty threads.
"""

import ctypes
import sys
from collections.abc import Callable
from functools import lru_cache

ARENAS, LARGE_BYTES = 2, 128 << 10  # a block above that is mapped by itself, and gone as soon as it is free
_M_ARENA_MAX, _M_MMAP_THRESHOLD = -8, -3


def keep_small() -> None:
    """Few arenas, large blocks by themselves; call it before threads are started. Without glibc it does nothing."""
    if (mallopt := _function("mallopt")) is not None:
        mallopt(_M_ARENA_MAX, ARENAS)
        mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)


def give_back() -> None:
    """Return free pages to the system; takes a few milliseconds."""
    if (trim := _function("malloc_trim")) is not None:
        trim(0)


@lru_cache
def _function(name: str) -> Callable[..., int] | None:
    if not sys.platform.startswith("linux"):
        return None
    found: Callable[..., int] | None = getattr(ctypes.CDLL(None), name, None)
    return found
