"""Opaque cursors: the sort key of a page's last item, so that rows added meanwhile neither repeat nor hide others."""

import base64
import binascii
import json
from typing import Annotated, Any

from fastapi import Query

from backend.shared.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="Most items of one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def encode(*key: int | str) -> str:
    """Write a sort key as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def number(cursor: str) -> int:
    """Read a cursor of one number; raises InvalidInput for one that this API did not write."""
    key = _read(cursor)
    if len(key) != 1 or not _is_number(key[0]):
        raise _foreign()
    return int(key[0])


def number_and_id(cursor: str) -> tuple[int, str]:
    """Read a cursor of a number and an id; raises InvalidInput for one that this API did not write."""
    key = _read(cursor)
    if len(key) != 2 or not _is_number(key[0]) or not isinstance(key[1], str):
        raise _foreign()
    if len(key[1]) > 200 or not key[1].isprintable():
        raise _foreign()
    return int(key[0]), key[1]


def _read(cursor: str) -> list[Any]:
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        raise _foreign() from None
    return key if isinstance(key, list) else []


def _is_number(part: Any) -> bool:
    return type(part) is int and abs(part) < 2**53


def _foreign() -> InvalidInput:
    return InvalidInput("this cursor was not given out here; leave it out to begin with the first page", "/cursor")
