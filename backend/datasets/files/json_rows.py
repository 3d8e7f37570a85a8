"""Rows of JSON: one object a line, objects one after another, an array of objects or of rows, or one object of columns.

Source of the last: what `DataFrame.to_json` writes, in each of its `orient`s.
"""

from collections.abc import Callable, Collection, Iterator
from itertools import chain
from typing import Any

from backend.shared.errors import InvalidInput

from .json_values import MAX_COLUMNS, Values, as_row, parse
from .table import Numbered, Table

SEEN_ROWS, SEEN_BYTES = 1000, 8 << 20  # looked at for columns, before the first row is given out
Numbers = Iterator[tuple[int, Any]]


def read_json(lines: Callable[[], Iterator[str]]) -> Table:
    """The rows, and the columns that the first thousand have.

    Raises:
        InvalidInput: at once where there is no row; while reading for a bad row, naming its line.
    """
    first = next((found for found in enumerate(lines(), start=1) if found[1].strip()), None)
    if first is None:
        raise InvalidInput("The file holds no row.")
    if first[1].lstrip().startswith("{") and _is_whole(first[1]):
        found = _of_lines(lines())
        alone = _alone(found)
        if isinstance(alone, list):
            return _table(_header_first(enumerate(alone, start=1)), "row")
        return _table(alone, "line")
    values = Values(lines())
    if values.is_array:
        return _of_array(iter(values))
    alone = _alone(iter(values))
    if isinstance(alone, list):
        return _table(_header_first(enumerate(alone, start=1)), "row")
    return _table(alone, "line")


def _is_whole(line: str) -> bool:
    """Whether a line is more than the beginning of a value: a value, or broken before its end."""
    try:
        parse(line, 1)
    except InvalidInput as error:
        return isinstance(error.__cause__, ValueError) and not _ends_early(error.__cause__, line)
    return True


def _ends_early(error: ValueError, line: str) -> bool:
    return getattr(error, "pos", 0) >= len(line.rstrip())


def _of_lines(lines: Iterator[str]) -> Numbers:
    return ((number, parse(line, number)) for number, line in enumerate(lines, start=1) if line.strip())


def _alone(values: Numbers) -> Numbers | list[Any]:
    """The values, or the rows of the only one where that is a whole table."""
    first = next(values, None)
    if first is None:
        return values
    try:
        second = next(values, None)
    except InvalidInput as error:
        return chain([first], _raising(error))
    rows = rows_of(first[1]) if second is None and isinstance(first[1], dict) else None
    if rows is not None:
        return rows
    return chain([first], [] if second is None else [second], values)


def _raising(error: InvalidInput) -> Numbers:
    raise error
    yield


def rows_of(found: dict[str, Any]) -> list[Any] | None:
    """The rows of a table that is written as one object, None where it is rather a row itself.

    Raises:
        InvalidInput: it holds several tables, or columns of different lengths.
    """
    values = list(found.values())
    if isinstance(found.get("columns"), list) and isinstance(found.get("data"), list):
        return [found["columns"], *found["data"]]
    tables = [key for key, value in found.items() if _are_rows(value)]
    if len(tables) > 1:
        raise InvalidInput(
            f"The file holds several tables ({', '.join(key[:40] for key in tables[:9])}); save each as its own file."
        )
    if tables:
        return list(found[tables[0]])
    if values and all(isinstance(value, list) for value in values):
        if len({len(value) for value in values}) > 1:
            raise InvalidInput("The file is an object of columns, but they have different lengths.")
        return [dict(zip(found, row, strict=True)) for row in zip(*values, strict=True)]
    if values and all(isinstance(value, dict) for value in values):
        if all(key.isdecimal() for key in found) and not all(key.isdecimal() for row in values for key in row):
            return values  # an object of rows
        places = dict.fromkeys(key for value in values for key in value)
        return [{name: column[place] for name, column in found.items() if place in column} for place in places]
    return None


def _are_rows(value: Any) -> bool:
    return isinstance(value, list) and len(value) > 0 and all(isinstance(row, dict) for row in value)


def _of_array(values: Numbers) -> Table:
    """An array: its rows by line where each has its own, else by their place."""
    seen, rest = _looked(values)
    lines = [number for number, _ in seen]
    if len(set(lines)) == len(lines):
        return _table(_header_first(chain(seen, rest)), "line")
    return _table(_header_first(((n, value) for n, (_, value) in enumerate(chain(seen, rest), start=1))), "row")


def _header_first(values: Numbers) -> Numbers:
    """Rows of an array; where the first is a list of names, the others are lists of cells."""
    first = next(values, None)
    if first is None:
        return
    header = first[1]
    if not isinstance(header, list) or not header or not all(isinstance(name, str) for name in header):
        yield first
        yield from values
        return
    if len(set(header)) != len(header):
        raise InvalidInput("A column name occurs twice in the first row of the array.")
    for number, row in values:
        if not isinstance(row, list) or len(row) != len(header):
            raise InvalidInput(f"Row {number:,} of the array is not a list of {len(header)} cells like its first row.")
        yield number, dict(zip(header, row, strict=True))


def _table(values: Numbers, unit: str) -> Table:
    rows = ((number, as_row(value, number)) for number, value in values)
    seen, rest = _looked(rows)
    if not seen:
        next(rest, None)  # it says what is wrong with the first
        raise InvalidInput("The file holds no row.")
    columns = dict.fromkeys(key for _, row in seen for key in row)
    if len(columns) > MAX_COLUMNS:
        raise InvalidInput(f"The rows have {len(columns)} different keys; {MAX_COLUMNS} are the most that are read.")
    notes: list[str] = []
    return Table(list(columns), _noting(chain(seen, rest), columns, notes, unit), unit, notes)


def _looked(rows: Numbers) -> tuple[list[tuple[int, Any]], Numbers]:
    """The first rows, and those after them; what is wrong with one is said when its turn comes."""
    seen: list[tuple[int, Any]] = []
    size = 0
    try:
        while len(seen) < SEEN_ROWS and size < SEEN_BYTES:
            found = next(rows, None)
            if found is None:
                break
            seen.append(found)
            size += len(str(found[1]))
    except InvalidInput as error:
        return seen, _raising(error)
    return seen, rows


def _noting(rows: Numbers, columns: Collection[str], notes: list[str], unit: str) -> Numbered:
    """The rows; a column that none of the first ones had is told when all are read."""
    known, late = set(columns), dict[str, int]()
    for number, row in rows:
        if len(late) < MAX_COLUMNS and not known.issuperset(row):
            for key in row:
                if key not in known:
                    late.setdefault(key, number)
        yield number, row
    notes += [
        f"The column {key[:60]!r} is not read: it first appears in {unit} {number:,}; put such a row first."
        for key, number in list(late.items())[:9]
    ]
