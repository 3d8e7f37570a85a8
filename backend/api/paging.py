"""Opaque cursors: the sort key of a page's last item, so that rows added meanwhile neither repeat nor hide others."""

import base64
import binascii
import json
from typing import Annotated

from fastapi import Query

from backend.shared.errors import InvalidInput

Limit = Annotated[int, Query(ge=1, le=200, description="Most items of one page.")]
Cursor = Annotated[str | None, Query(max_length=500, description="`next_cursor` of the page before.")]


def encode(*key: int | str) -> str:
    """Write a sort key as a cursor."""
    return base64.urlsafe_b64encode(json.dumps(key).encode()).decode().rstrip("=")


def decode(cursor: str, *kinds: type[int] | type[str]) -> tuple[int | str, ...]:
    """Read a sort key of these types back; raises InvalidInput for a cursor that this API did not write."""
    try:
        key = json.loads(base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError, RecursionError):
        key = None
    if not isinstance(key, list) or [type(part) for part in key] != list(kinds) or not all(map(_storable, key)):
        raise InvalidInput("this cursor was not given out here; leave it out to begin with the first page", "/cursor")
    return tuple(key)


def _storable(part: int | str) -> bool:
    if isinstance(part, int):
        return abs(part) < 2**63
    return len(part) <= 200 and part.isprintable()
