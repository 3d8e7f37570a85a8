"""What reading a file into a data set may take of the machine: bytes, free space, time, and only while it is wanted.

A file of a few kilobytes may say that it holds terabytes; it is asked while the work goes on, not before.
"""

import shutil
import time
from collections.abc import Callable
from pathlib import Path

from backend.shared.errors import Conflict, TooLarge, Unavailable

EVERY_BYTES, EVERY_S = 16 << 20, 1.0  # between two looks at the disk
FREE_BYTES, FOLD = 64 << 20, 100  # a file may become that much, and so many times its size
ROW_BYTES = 100  # of each row are not counted: what a short row grows by when its keys are written out


class Budget:
    """Counts what is read and written; each count may raise.

    TooLarge: the files hold more than their size lets expect, or take too long. Unavailable: the disk is nearly full.
    Conflict: nobody wants the result any more.
    """

    def __init__(
        self,
        folder: Path,
        size: int,
        most_bytes: int,
        floor_bytes: int,
        seconds: float | None = None,
        wanted: Callable[[], bool] = lambda: True,
    ) -> None:
        """`folder` is on the disk that is written to, `size` that of the files, `floor_bytes` stay free."""
        self.folder, self.floor_bytes, self.wanted = folder, floor_bytes, wanted
        self.most = min(4 * most_bytes, FREE_BYTES + FOLD * size)
        self.seconds = seconds
        self.end = None if seconds is None else time.monotonic() + seconds
        self._read = self._written = self._unseen = 0
        self._next = 0.0

    def read(self, count: int) -> None:
        """So many bytes of text came out of a file, packed or not. Twice the bytes of rows: keys are read, too."""
        self._read += count
        if self._read > 2 * self.most:
            raise self._too_large()
        self._look(count)

    def row(self, count: int) -> None:
        """A row of so many bytes is written."""
        self._written += max(count - ROW_BYTES, 0)
        if self._written > self.most:
            raise self._too_large()
        self._look(count)

    def again(self, count: int) -> None:
        """So many bytes are written that were counted before."""
        self._look(count)

    def _look(self, count: int) -> None:
        self._unseen += count
        now = time.monotonic()
        if self._unseen < EVERY_BYTES and now < self._next:
            return
        self._unseen, self._next = 0, now + EVERY_S
        if self.end is not None and now > self.end:
            raise TooLarge(f"The file takes longer than {self.seconds:,.0f} seconds to be read; give a part of it.")
        if not self.wanted():
            raise Conflict("the file was deleted while it was read")
        if shutil.disk_usage(self.folder).free < self.floor_bytes:
            raise Unavailable("There is too little free space in the data folder; free some and try again.")

    def _too_large(self) -> TooLarge:
        return TooLarge(
            f"The file unfolds to more than {self.most:,} bytes, far more than its size lets expect; give a part "
            "of it, or save it unpacked."
        )
