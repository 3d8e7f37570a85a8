"""JSON lines: one object a line, duplicate keys and NaN refused."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput

from .text_file import text_lines

MAX_COLUMNS = 256


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(other == key for other, _ in pairs) > 1)
        raise ValueError(f"the key {twice[:100]!r} occurs twice")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def _parse(line: str, number: int) -> dict[str, Any]:
    try:
        found = json.loads(line, object_pairs_hook=_object, parse_constant=_constant)
    except json.JSONDecodeError as error:
        raise InvalidInput(f"Line {number:,} is not valid JSON: {error.msg} at character {error.colno}.") from error
    except RecursionError as error:
        raise InvalidInput(f"Line {number:,} is nested too deep.") from error
    except ValueError as error:
        raise InvalidInput(f"Line {number:,} cannot be read: {error}.") from error
    if not isinstance(found, dict):
        raise InvalidInput(f'Line {number:,} is not a JSON object like {{"text": "...", "label": 1}}.')
    if len(found) > MAX_COLUMNS:
        raise InvalidInput(f"Line {number:,} has {len(found)} keys; {MAX_COLUMNS} are the most that are read.")
    return found


def read_json_lines(path: Path) -> tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]:
    """The keys of the first row, and an iterator over (line number, object) of every row; blank lines are passed over.

    Raises:
        InvalidInput: at once where there is no row; while reading for a bad row, naming its line.
    """
    rows = ((number, _parse(line, number)) for number, line in enumerate(text_lines(path), start=1) if line.strip())
    first = next(rows, None)
    if first is None:
        raise InvalidInput("The file holds no row.")

    def every() -> Iterator[tuple[int, dict[str, Any]]]:
        yield first
        yield from rows

    return list(first[1]), every()
