"""What a database or an answer could not hold is refused at the edge: NUL, lone surrogates, numbers not finite."""

import json
import math
from typing import Any

from fastapi import Request

from backend.shared.errors import InvalidInput, Problem

MAX_DEPTH = 64
MAX_PROBLEMS = 50
STREAMED = frozenset({"uploads_content"})  # bodies that are files, read piece by piece


async def only_clean_address(request: Request) -> None:
    """Refuse a path or query with such text, before anything is looked up by it; raises InvalidInput."""
    if "\0" in request.url.path or any("\0" in part for pair in request.query_params.multi_items() for part in pair):
        raise InvalidInput("the address holds a NUL character; remove it")


async def only_clean_body(request: Request) -> None:
    """Refuse a JSON body with such text; raises InvalidInput naming every place."""
    streams = request.scope["route"].operation_id in STREAMED
    if streams or "json" not in request.headers.get("content-type", "json"):
        return
    body = await request.body()
    if not body:
        return
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return  # the route itself answers what is not JSON
    problems: list[Problem] = []
    _walk(found, "", 0, problems)
    if problems:
        raise InvalidInput.of(problems[:MAX_PROBLEMS])


def _walk(value: Any, pointer: str, depth: int, problems: list[Problem]) -> None:
    if depth > MAX_DEPTH:
        problems.append(Problem(pointer[:500], f"this is nested more than {MAX_DEPTH} levels deep; flatten it"))
    elif isinstance(value, str):
        if not _storable(value):
            problems.append(Problem(pointer, "this text holds a NUL character or half a surrogate pair; remove it"))
    elif isinstance(value, float):
        if not math.isfinite(value):
            problems.append(Problem(pointer, "this number is not finite; give an ordinary number"))
    elif isinstance(value, dict):
        for key, item in value.items():
            if _storable(key):
                _walk(item, f"{pointer}/{key.replace('~', '~0').replace('/', '~1')}", depth + 1, problems)
            else:
                problems.append(Problem(pointer, "a key here holds a NUL character or half a surrogate pair"))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            _walk(item, f"{pointer}/{index}", depth + 1, problems)


def _storable(text: str) -> bool:
    return "\0" not in text and not any("\ud800" <= letter <= "\udfff" for letter in text)
