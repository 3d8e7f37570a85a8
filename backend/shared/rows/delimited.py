"""CSV and TSV, read strictly: an unbalanced quote or a ragged row is an error, never a silently swallowed line.

Source: RFC 4180; Python's `csv` reads bad quoting without a word unless `strict` is set.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

from backend.shared.errors import InvalidInput
from backend.shared.rows.row import MAX_CELL_BYTES
from backend.shared.rows.text_file import text_lines

MAX_COLUMNS = 256
DELIMITERS = {"csv": ",", "tsv": "\t"}


class Counted:
    """Lines of a file, with the number of the newest one."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.line = 0

    def __iter__(self) -> "Counted":
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.line += 1
        return line


def read_delimited(path: Path, delimiter: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The column names, and an iterator over (line number, column → cell) of every row; blank lines are passed over.

    Raises:
        InvalidInput: at once for a bad header; while reading for a bad row, naming its line.
    """
    lines = Counted(text_lines(path))
    csv.field_size_limit(MAX_CELL_BYTES)  # in characters; mapped cells are measured in bytes later
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    header = _next(reader, 1, lines)
    if header is None:
        raise InvalidInput("The file is empty.")
    _check_header(header, delimiter)
    return header, _rows(reader, header, lines)


def _rows(reader: Iterator[list[str]], header: list[str], lines: Counted) -> Iterator[tuple[int, dict[str, str]]]:
    while True:
        start = lines.line + 1
        cells = _next(reader, start, lines)
        if cells is None:
            return
        if not cells:
            continue
        if len(cells) != len(header):
            raise InvalidInput(
                f"Line {start:,} has {len(cells)} cells where the header has {len(header)}; "
                "quote cells that contain the separator or a line break."
            )
        yield start, dict(zip(header, cells, strict=True))


def _next(reader: Iterator[list[str]], start: int, lines: Counted) -> list[str] | None:
    try:
        return next(reader)
    except StopIteration:
        return None
    except csv.Error as error:
        reason = str(error)
        if "unexpected end" in reason:
            reason = "a quoted cell is never closed"
        elif "expected after" in reason:
            reason = "there is text after a closing quote; double the quotes inside a quoted cell"
        elif "field larger" in reason:
            reason = "a cell is larger than 1 MiB, which an unclosed quote often looks like"
        where = f"Line {start:,}" if start == lines.line else f"The row that begins on line {start:,}"
        raise InvalidInput(f"{where} cannot be read: {reason}.") from error


def _check_header(header: list[str], delimiter: str) -> None:
    if len(header) > MAX_COLUMNS:
        raise InvalidInput(f"The file has {len(header)} columns; {MAX_COLUMNS} are the most that are read.")
    for place, name in enumerate(header, start=1):
        if not name.strip():
            raise InvalidInput(f"Column {place} of the header (line 1) has no name.")
        if header.index(name) != place - 1:
            raise InvalidInput(f"The column name {name[:100]!r} occurs twice in the header (line 1).")
    if len(header) == 1 and any(other in header[0] for other in ",;\t" if other != delimiter):
        raise InvalidInput(
            f"The header (line 1) is one single column {header[0][:100]!r}; is the separator {delimiter!r} right?"
        )
