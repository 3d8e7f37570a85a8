"""What tests do to stored files."""

import hashlib
from pathlib import Path


def flip_a_bit(file: Path) -> None:
    """As a failing disk would: one bit, at a place that the file's own content decides."""
    content = bytearray(file.read_bytes())
    place = int.from_bytes(hashlib.sha256(content).digest()[:8]) % (8 * len(content))
    content[place // 8] ^= 1 << place % 8
    file.write_bytes(content)
