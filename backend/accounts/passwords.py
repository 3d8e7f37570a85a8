"""Passwords: argon2id through argon2-cffi with its defaults (RFC 9106's second choice: 64 MiB, three passes)."""

import threading
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from backend.shared.errors import InvalidInput

SHORTEST, LONGEST = 10, 200
_HASHER = PasswordHasher()
_AT_ONCE = threading.BoundedSemaphore(4)  # each takes 64 MiB; a flood of logins must not take the machine


def check(password: str, email: str) -> None:
    """Refuse a password that is too short, too long or the address itself; raises InvalidInput."""
    if not SHORTEST <= len(password) <= LONGEST:
        raise InvalidInput(
            f"a password has {SHORTEST} to {LONGEST} characters; a few words are easy to keep", "/password"
        )
    if password.casefold() in (email.casefold(), email.partition("@")[0].casefold()) or len(set(password)) < 4:
        raise InvalidInput("this password is too easy to guess; take a few words that belong to nobody", "/password")


def hashed(password: str) -> str:
    """What is stored of a password."""
    with _AT_ONCE:
        return _HASHER.hash(password)


def verify(password: str, stored: str | None) -> bool:
    """Whether this is the password; with nothing stored it takes as long and is False."""
    with _AT_ONCE:
        try:
            fits = _HASHER.verify(stored or _nobody(), password[:LONGEST])
        except (VerificationError, InvalidHashError):
            return False
    return fits and stored is not None


def is_outdated(stored: str) -> bool:
    """Whether a stored hash was made with weaker parameters than those of today."""
    return _HASHER.check_needs_rehash(stored)


@cache
def _nobody() -> str:
    """A hash to compare with where there is no account, so that the time does not tell."""
    return _HASHER.hash("nobody has this password")
