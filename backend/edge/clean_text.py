"""What a database or an answer could not hold is refused at the edge, and so is a body of more parts than anything asks
for: NUL, lone surrogates, numbers not finite or without end; keys without end, lists without end, nesting without end.
A key that stands twice in one object is refused, too: all but its last value would be lost.

All of it is looked at before the body is held against what an operation takes, in one pass.
"""

import json
import math
from collections import Counter
from collections.abc import Iterator
from typing import Any

from fastapi import Request

from backend.shared.errors import InvalidInput, Problem

MAX_DEPTH = 64
MAX_PROBLEMS = 50
MAX_ITEMS = 10_000  # of one list
MAX_KEYS = 50  # of one object; a study has sixteen
MAX_WHOLE = 2**63 - 1  # what a database holds; a float would be infinite from 310 digits on
MAX_KEY = 200  # characters of a key: pointers are made of them
STREAMED = frozenset({"uploads_content"})  # bodies that are files, read piece by piece


class _Object(dict[str, Any]):
    """An object of a body that remembers whether it said one thing twice."""

    def __init__(self, pairs: list[tuple[str, Any]]) -> None:
        super().__init__(pairs)
        self.twice: str | None = None
        if len(self) < len(pairs):
            counts = Counter(key for key, _ in pairs)
            self.twice = max(counts, key=counts.__getitem__)


async def only_clean_address(request: Request) -> None:
    """Refuse a path or query with such text, before anything is looked up by it; raises InvalidInput."""
    if "\0" in request.url.path or any("\0" in part for pair in request.query_params.multi_items() for part in pair):
        raise InvalidInput("the address holds a NUL character; remove it")


async def only_clean_body(request: Request) -> None:
    """Refuse a JSON body with such text, or with too many parts; raises InvalidInput naming the places."""
    streams = request.scope["route"].operation_id in STREAMED
    if streams or "json" not in request.headers.get("content-type", "json"):
        return
    body = await request.body()
    if not body:
        return
    try:
        found = json.loads(body, object_pairs_hook=_Object)
    except json.JSONDecodeError:
        return  # the route itself answers what is not JSON
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            "the body holds a number of thousands of digits, or is nested without end; give ordinary numbers, and less "
            "deep ones"
        ) from error
    problems = _problems(found)
    if problems:
        raise InvalidInput.of(problems)


def _problems(body: Any) -> list[Problem]:
    """What is wrong with the parts of a body; where one is too many, that alone, and the rest is not looked at."""
    problems: list[Problem] = []
    path: list[str | int] = []  # made into a pointer only where something is wrong
    inside: list[Iterator[tuple[str | int | None, Any]]] = [iter([(None, body)])]
    while inside and len(problems) < MAX_PROBLEMS:
        part = next(inside[-1], None)
        if part is None:
            inside.pop()
            if path:
                path.pop()
            continue
        key, value = part
        too_much = _bad_key(key)
        if too_much is not None:
            return [Problem(_pointer(path), too_much)]
        flaw = _flaw(key, value)
        if flaw is not None:
            problems.append(Problem(_pointer(path, None if isinstance(key, str) and not _storable(key) else key), flaw))
        elif isinstance(value, dict | list):
            too_much = _too_many_parts(value, len(path) + (key is not None))
            if too_much is not None:
                return [Problem(_pointer(path, key), too_much)]
            if key is not None:
                path.append(key)
            twice = value.twice if isinstance(value, _Object) else None
            if twice is not None and _storable(twice) and _bad_key(twice) is None:
                problems.append(
                    Problem(_pointer(path, twice), "this key stands twice in its object; leave one of them")
                )
            inside.append(iter(value.items()) if isinstance(value, dict) else iter(enumerate(value)))
    return problems


def _bad_key(key: str | int | None) -> str | None:
    too_long = isinstance(key, str) and len(key) > MAX_KEY
    return f"a key here is longer than {MAX_KEY} characters; shorten it" if too_long else None


def _too_many_parts(value: dict[str, Any] | list[Any], depth: int) -> str | None:
    if depth > MAX_DEPTH:
        return f"this is nested more than {MAX_DEPTH} levels deep; flatten it"
    if isinstance(value, dict):
        return f"this has more than {MAX_KEYS} keys; nothing here takes so many" if len(value) > MAX_KEYS else None
    return f"this has more than {MAX_ITEMS:,} items; give fewer" if len(value) > MAX_ITEMS else None


def _flaw(key: str | int | None, value: Any) -> str | None:
    if isinstance(key, str) and not _storable(key):
        return "a key here holds a NUL character or half a surrogate pair"
    if isinstance(value, str) and not _storable(value):
        return "this text holds a NUL character or half a surrogate pair; remove it"
    if isinstance(value, float) and not math.isfinite(value):
        return "this number is not finite; give an ordinary number"
    if isinstance(value, int) and abs(value) > MAX_WHOLE:
        return "this whole number has more than 64 bits; give an ordinary number"
    return None


def _pointer(path: list[str | int], key: str | int | None = None) -> str:
    parts = path if key is None else [*path, key]
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in parts)


def _storable(text: str) -> bool:
    if "\0" in text:
        return False
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True
