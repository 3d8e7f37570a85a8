"""What pydantic found wrong with a request, as JSON pointers and sentences for a person.

A body may be wrong in tens of thousands of places. Only as many of them are looked at as an answer may hold, and each
step over them is linear: whoever sends nonsense pays for it, not the server.
"""

from collections.abc import Sequence
from itertools import islice
from typing import Any

from . import likely_keys
from .answers import ErrorItem

MOST_ITEMS = 100
LOOKED_AT = 5 * MOST_ITEMS  # of a value that may be several things, pydantic tells each reading
HINTED = 20  # likeness costs most of all: for the first keys only


def items(errors: Sequence[Any], body: Any) -> list[ErrorItem]:
    """One item for each place, in order; no more than an answer holds."""
    placed = [(_pointer(found["loc"], body), found) for found in islice(errors, LOOKED_AT)]
    further = _got_further(placed)
    told: dict[str, ErrorItem] = {}
    hints = HINTED
    for pointer, found in placed:
        if pointer in told or (_is_of_type(found) and pointer in further):
            continue
        told[pointer] = ErrorItem(pointer=pointer, detail=_sentence(found, hints > 0))
        hints -= found["type"] == "extra_forbidden"
        if len(told) == MOST_ITEMS:
            break
    return list(told.values())


def _is_of_type(found: Any) -> bool:
    return bool(found["type"].endswith("_type"))


def _got_further(placed: Sequence[tuple[str, Any]]) -> set[str]:
    """Places where, or inside which, something else than the type is wrong.

    Of a value that may be a number or a list, only the reading that got further is told.
    """
    found: set[str] = set()
    for pointer, error in placed:
        if not _is_of_type(error):
            while pointer not in found:
                found.add(pointer)
                pointer = pointer.rpartition("/")[0]
    return found


def _pointer(loc: Sequence[Any], body: Any) -> str:
    """A JSON pointer from pydantic's location, without the names of union members that it puts in between."""
    place, *parts = loc
    if place != "body":
        return "/" + "/".join(str(part) for part in parts)
    pointer, value = "", body
    for i, part in enumerate(parts):
        found, inside = _inside(value, part)
        if found:
            value = inside
        elif not (isinstance(value, dict) and i == len(parts) - 1):
            continue  # no key of the body: pydantic's name for what it tried
        pointer += "/" + str(part).replace("~", "~0").replace("/", "~1")
    return pointer


def _inside(value: Any, part: Any) -> tuple[bool, Any]:
    if isinstance(value, dict):
        return part in value, value.get(part)
    if isinstance(value, list) and isinstance(part, int) and part < len(value):
        return True, value[part]
    return False, None


def _sentence(found: Any, hinted: bool) -> str:
    key = str(found["loc"][-1])
    match found["type"]:
        case "missing":
            return "this is required" if key != "body" else "a JSON body is required"
        case "extra_forbidden":
            place = found["loc"][1:-1]
            return f"there is no key '{key[:100]}' here{likely_keys.hint(place, key) if hinted else '; take it out'}"
    text = str(found["msg"]).removeprefix("Value error, ")
    return (text[:1].lower() + text[1:]).encode("utf-8", "replace").decode()
