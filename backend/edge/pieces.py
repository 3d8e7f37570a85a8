"""What a writer of files writes, handed on piece by piece while it goes on: no file lies whole in memory or on disk."""

from typing import Any


class Pieces:
    """A file to write to, whose bytes are taken away as they come."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._at = 0
        self.closed = False

    def write(self, data: Any) -> int:
        """Keep a copy until it is taken."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._at += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Bytes written so far, taken or not."""
        return self._at

    def flush(self) -> None:
        """Nothing is held back."""

    def close(self) -> None:
        """What was written can still be taken."""
        self.closed = True

    def take(self) -> bytes:
        """All since the last time."""
        taken, self._pieces = b"".join(self._pieces), []
        return taken
