"""CSV and TSV, read strictly: an unbalanced quote or a ragged row is an error, never a silently swallowed line.

Source: RFC 4180; Python's `csv` reads bad quoting without a word unless `strict` is set.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from backend.shared.errors import InvalidInput
from backend.shared.rows.row import MAX_CELL_BYTES

from .text_file import text_lines

if TYPE_CHECKING:
    from _csv import Reader

MAX_COLUMNS = 256
DELIMITERS = {"csv": ",", "tsv": "\t"}


def read_delimited(path: Path, delimiter: str) -> tuple[list[str], Iterator[tuple[int, dict[str, str]]]]:
    """The column names, and an iterator over (line number, column → cell) of every row; blank lines are passed over.

    Raises:
        InvalidInput: at once for a bad header; while reading for a bad row, naming its line.
    """
    csv.field_size_limit(MAX_CELL_BYTES)  # in characters; mapped cells are measured in bytes later
    reader = csv.reader(text_lines(path), delimiter=delimiter, strict=True)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise _unreadable(error, 1, reader.line_num) from error
    if header is None:
        raise InvalidInput("The file is empty.")
    _check_header(header, delimiter)
    return header, _rows(reader, header)


def _rows(reader: "Reader", header: list[str]) -> Iterator[tuple[int, dict[str, str]]]:
    width, start = len(header), reader.line_num + 1
    try:
        for cells in reader:
            if len(cells) == width:
                yield start, dict(zip(header, cells, strict=True))
            elif cells:
                raise InvalidInput(
                    f"Line {start:,} has {len(cells)} cells where the header has {width}; "
                    "quote cells that contain the separator or a line break."
                )
            start = reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(error, start, reader.line_num) from error


def _unreadable(error: csv.Error, start: int, newest: int) -> InvalidInput:
    """The refusal of a row that begins on line `start`, with line `newest` the last one read."""
    reason = str(error)
    if "unexpected end" in reason:
        reason = "a quoted cell is never closed"
    elif "expected after" in reason:
        reason = "there is text after a closing quote; double the quotes inside a quoted cell"
    elif "field larger" in reason:
        reason = "a cell is larger than 1 MiB, which an unclosed quote often looks like"
    where = f"Line {start:,}" if start == newest else f"The row that begins on line {start:,}"
    return InvalidInput(f"{where} cannot be read: {reason}.")


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
