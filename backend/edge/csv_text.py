"""Values as cells of a CSV file that a spreadsheet may open."""

import csv
import io

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")


def text(value: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def csv_line(cells: list[str]) -> str:
    """One line of a CSV file."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
