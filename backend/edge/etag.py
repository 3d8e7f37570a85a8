"""ETags of what is computed from a study's state: the same question at the same state has the same answer.

They are weak (RFC 9110, 8.8.1): an answer means the same in whichever coding it is sent.
"""

import hashlib
from typing import Annotated

from fastapi import Header, Request

from .answers import Responses

NOT_MODIFIED: Responses = {304: {"description": "Nothing changed since the ETag that was sent."}}
IfNoneMatch = Annotated[str | None, Header(max_length=1000)]


def tag(state: str, request: Request) -> str:
    """The tag of a request's answer in a state of what it speaks of."""
    asked = f"{state} {request.url.path} {request.url.query}"
    return f'W/"{hashlib.sha256(asked.encode()).hexdigest()[:20]}"'


def matches(header: str | None, tag: str) -> bool:
    """Whether an If-None-Match header names the tag."""
    bare = tag.removeprefix("W/")
    return header is not None and bare in [part.strip().removeprefix("W/") for part in header.split(",")]


def headers(tag: str) -> dict[str, str]:
    """What an answer with a tag carries; browsers ask again each time."""
    return {"ETag": tag, "Cache-Control": "private, no-cache"}
