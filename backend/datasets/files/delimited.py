"""CSV and TSV, read strictly: an unbalanced quote or a ragged row is an error, never a silently swallowed line.

Source: RFC 4180; Python's `csv` reads bad quoting without a word unless `strict` is set. Columns without a name at the
edge of the table (an index that pandas wrote, commas at the ends of lines) are passed over.
"""

import csv
import re
from collections.abc import Callable, Generator, Iterator
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from backend.shared.errors import InvalidInput
from backend.shared.rows.cell import MAX_CELL_BYTES
from backend.shared.rows.row import Quotes

from .text_file import MAX_LINE_BYTES, text_lines

if TYPE_CHECKING:
    from _csv import Reader

MAX_COLUMNS = 256
DELIMITERS = {"csv": ",", "tsv": "\t"}
SEEN_CHARACTERS = 16 << 20  # of a file, until it is settled what its quotes are
_QUOTED = re.compile(r'"([^"]|"")*"')


def read_delimited(
    path: Path,
    delimiter: str,
    quotes: Quotes = "auto",
    lines: Callable[[], Iterator[str]] | None = None,
    above: int = 0,
) -> tuple[list[str], Generator[tuple[int, dict[str, str]], None, None]]:
    """The column names, and an iterator over (line number, column → cell) of every row; blank lines are passed over.

    `lines` opens the file's lines, where they are not simply those at `path`; so many `above` the header are no rows.

    Raises:
        InvalidInput: at once for a bad header; while reading for a bad row, naming its line.
    """

    def opened() -> Iterator[str]:
        return islice(lines() if lines else text_lines(path), above, None)

    if quotes == "auto":
        quotes = "plain" if delimiter == "\t" and quotes_are_characters(opened(), delimiter) else "quoted"
    csv.field_size_limit(MAX_CELL_BYTES)  # in characters; mapped cells are measured in bytes later
    quote = None if quotes == "plain" else '"'
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if quote else csv.QUOTE_NONE
    counted = _Counted(opened())
    reader = csv.reader(counted, delimiter=delimiter, strict=True, quotechar=quote, quoting=quoting)
    try:
        header = next(reader, None)
    except csv.Error as error:
        raise _unreadable(error, 1, reader.line_num) from error
    if header is None:
        raise InvalidInput("The file is empty.")
    first, end = _named(header)
    _check_header(header, first, end, delimiter)
    return header[first:end], _rows(reader, counted, header, first, end, above)


def _named(header: list[str]) -> tuple[int, int]:
    """Where the named columns begin and end: all but nameless ones at the edges."""
    places = [place for place, name in enumerate(header) if name.strip()]
    return (places[0], places[-1] + 1) if places else (0, 1)


class _Counted:
    """Lines, and how long those are of the row that is being read: a quoted cell may go over any number of lines."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self.row = lines, 0

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = next(self._lines)
        self.row += len(line)
        if self.row > MAX_LINE_BYTES:
            raise InvalidInput("A row is longer than 64 MiB; an unbalanced quote often looks like this.")
        return line


def _rows(
    reader: "Reader", counted: _Counted, header: list[str], first: int, end: int, above: int
) -> Generator[tuple[int, dict[str, str]], None, None]:
    names, width, start = header[first:end], len(header), above + reader.line_num + 1
    whole = first == 0 and end == width
    try:
        for cells in reader:
            counted.row = 0
            if whole and len(cells) == width:
                yield start, dict(zip(names, cells, strict=True))
            elif cells:
                if len(cells) < end or any(cell.strip() for cell in cells[end:]):
                    raise _ragged(start, cells, end, width)
                yield start, dict(zip(names, cells[first:end], strict=True))
            start = above + reader.line_num + 1
    except csv.Error as error:
        raise _unreadable(error, start, above + reader.line_num) from error


def _ragged(line: int, cells: list[str], end: int, width: int) -> InvalidInput:
    if end <= width == len(cells):
        return InvalidInput(
            f"Line {line:,} has a cell in a column without a name; quote cells that contain the separator, or name it."
        )
    return InvalidInput(
        f"Line {line:,} has {len(cells)} cells where the header has {width}; "
        "quote cells that contain the separator or a line break."
    )


def quotes_are_characters(lines: Iterator[str], delimiter: str) -> bool:
    """Whether quotes in a file are a part of its texts, as in GLUE: by its first 16 MiB.

    They are where each line on its own has as many cells as the first, and some cell with a quote is not one that a
    writer of quoted cells would have made. A header in quotes shows such a writer.
    """
    width, seen, doubtful = 0, 0, False
    for line in lines:
        seen += len(line)
        if seen > SEEN_CHARACTERS:
            break
        cells = line.rstrip("\r\n").split(delimiter)
        if cells == [""]:
            continue
        if not width and all(_QUOTED.fullmatch(cell) for cell in cells):
            return False
        width = width or len(cells)
        if len(cells) != width:
            return False
        if not doubtful and '"' in line:
            doubtful = any('"' in cell and not _QUOTED.fullmatch(cell) for cell in cells)
    return doubtful


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


def _check_header(header: list[str], first: int, end: int, delimiter: str) -> None:
    if end - first > MAX_COLUMNS:
        raise InvalidInput(f"The file has {end - first} columns; {MAX_COLUMNS} are the most that are read.")
    for place, name in enumerate(header[first:end], start=first + 1):
        if not name.strip():
            raise InvalidInput(f"Column {place} of the header (line 1) has no name.")
        if header.index(name) != place - 1:
            raise InvalidInput(f"The column name {name[:100]!r} occurs twice in the header (line 1).")
    if len(header) == 1 and any(other in header[0] for other in ",;\t" if other != delimiter):
        raise InvalidInput(
            f"The header (line 1) is one single column {header[0][:100]!r}; is the separator {delimiter!r} right?"
        )
