"""What pydantic found wrong with a request, as JSON pointers and sentences for a person."""

import difflib
from collections.abc import Sequence
from typing import Any

from backend.shared.specs import ArmSpec, ConsistencySpec, LoraSpec, StudySpec, TrainingSpec

from .answers import ErrorItem

_KEYS = sorted(
    {key for model in (StudySpec, ArmSpec, LoraSpec, TrainingSpec, ConsistencySpec) for key in model.model_fields}
)


def items(errors: Sequence[Any], body: Any) -> list[ErrorItem]:
    """One item for each place, in order."""
    placed = [(_pointer(found["loc"], body), found) for found in errors]
    told: dict[str, ErrorItem] = {}
    for pointer, found in placed:
        if not _is_another_reading(pointer, found, placed):
            told.setdefault(pointer, ErrorItem(pointer=pointer, detail=_sentence(found)))
    return list(told.values())


def _is_another_reading(pointer: str, found: Any, placed: list[tuple[str, Any]]) -> bool:
    """Of a value that may be a number or a list, only the reading that got further is told."""
    if not found["type"].endswith("_type"):
        return False
    others = (other for at, other in placed if other is not found and (at == pointer or at.startswith(f"{pointer}/")))
    return any(not other["type"].endswith("_type") for other in others)


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


def _sentence(found: Any) -> str:
    key = str(found["loc"][-1])
    match found["type"]:
        case "missing":
            return "this is required" if key != "body" else "a JSON body is required"
        case "extra_forbidden":
            near = difflib.get_close_matches(key, _KEYS, n=2, cutoff=0.6)
            hint = f"; did you mean {' or '.join(near)}?" if near else "; take it out"
            return f"there is no key '{key[:100]}' here{hint}"
    text = str(found["msg"]).removeprefix("Value error, ")
    return (text[:1].lower() + text[1:]).encode("utf-8", "replace").decode()
