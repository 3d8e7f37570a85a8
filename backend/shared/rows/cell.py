"""What a cell may hold, and how it is said that one cannot be used: alone, or so that the whole file is in doubt."""

MAX_CELL_BYTES = 1 << 20


class RowRefused(Exception):
    """One row cannot be used; the file as a whole may still be."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"column {column!r}: {reason}")
        self.column = column
        self.reason = reason


class BadCell(Exception):
    """A cell that makes the file as a whole untrustworthy."""

    def __init__(self, column: str, reason: str) -> None:
        super().__init__(f"column {column!r}: {reason}")
        self.column = column
        self.reason = reason


def check_text(value: str, column: str) -> str:
    """The text itself, if a database, a page and a tokenizer can all hold it.

    Raises:
        BadCell: over 1 MiB, a NUL character, or half of a surrogate pair.
    """
    if "\0" in value:
        raise BadCell(column, "a NUL character, so this is not a text file")
    if value.isascii() and len(value) <= MAX_CELL_BYTES:
        return value
    try:
        size = len(value.encode("utf-8"))
    except UnicodeEncodeError:
        raise BadCell(column, "half of a surrogate pair, which is no character") from None
    if size > MAX_CELL_BYTES:
        raise BadCell(column, "a cell of more than 1 MiB; an unbalanced quote upstream often looks like this")
    return value
