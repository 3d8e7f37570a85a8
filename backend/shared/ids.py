"""Short prefixed ids that sort by creation time and are never reused."""

import secrets
import time

_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32: no i, l, o, u


def _base32(value: int, length: int) -> str:
    return "".join(_ALPHABET[(value >> (5 * place)) & 31] for place in reversed(range(length)))


def new_id(prefix: str) -> str:
    """For example `study_01k9x3v7qf8m2a4c6e`: 9 characters of milliseconds since 1970, then 9 random ones."""
    milliseconds = time.time_ns() // 1_000_000
    return f"{prefix}_{_base32(milliseconds, 9)}{_base32(secrets.randbits(45), 9)}"
