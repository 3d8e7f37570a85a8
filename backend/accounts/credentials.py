"""Secrets that we make: 256 random bits each, shown once, stored as SHA-256.

A fast hash is right for a secret that nobody can guess. API tokens have a prefix and a checksum, so that scanners of
leaked text can tell them (the reasons are GitHub's, 2021: "Behind GitHub's new authentication token formats").
"""

import hashlib
import hmac
import re
import secrets
import string
import zlib

from backend.shared.ids import new_id

_LETTERS = string.digits + string.ascii_uppercase + string.ascii_lowercase
_SECRET_LENGTH, _CHECKSUM_LENGTH = 43, 6  # 62^43 > 2^256, 62^6 > 2^32
_TOKEN = re.compile(r"ds_([0-9a-z]{18})_[0-9A-Za-z]{43}([0-9A-Za-z]{6})")
_SECRET = re.compile(r"[0-9A-Za-z]{43}")


def new_secret() -> str:
    """256 random bits as 43 letters and digits."""
    return _base62(secrets.randbits(256), _SECRET_LENGTH)


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def is_secret(text: str) -> bool:
    """Whether a text has the form of `new_secret`; anything else need not be looked for."""
    return _SECRET.fullmatch(text) is not None


def new_token() -> tuple[str, str]:
    """A new API token: its id, which is no secret, and its text `ds_<id>_<secret><checksum>`."""
    token_id = new_id("token")
    body = f"ds_{token_id.removeprefix('token_')}_{new_secret()}"
    return token_id, body + _checksum(body)


def token_id(text: str) -> str | None:
    """The id inside a token's text; None where it has not the form, or its checksum does not fit."""
    found = _TOKEN.fullmatch(text)
    if found is None or _checksum(text[:-_CHECKSUM_LENGTH]) != found[2]:
        return None
    return f"token_{found[1]}"


def matches(secret: str, stored: str) -> bool:
    """Whether a secret has this stored digest; takes the same time wherever they differ."""
    return hmac.compare_digest(digest(secret), stored)


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()), _CHECKSUM_LENGTH)


def _base62(value: int, length: int) -> str:
    written = ""
    for _ in range(length):
        value, place = divmod(value, 62)
        written = _LETTERS[place] + written
    return written
