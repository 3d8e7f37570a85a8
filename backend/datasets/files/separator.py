"""What separates the cells of a text table, where it is not what the file's name says.

Spreadsheets write a `.csv` with semicolons where the comma is the decimal sign, and may say so in a line `sep=;`.
"""

import csv
import re
from collections.abc import Iterator
from itertools import islice

SEPARATORS = (",", ";", "\t", "|")
_TOLD = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE)
LOOKED_AT = 20  # lines


def separator(lines: Iterator[str], named: str) -> tuple[str, int]:
    """The separator, and how many lines above the header only speak of it; `named` is what the file's name says.

    Another one is taken only where the named one makes a single column of the header, and the other makes as many
    columns, two or more, of each of the first lines.
    """
    first = [line.rstrip("\r\n") for line in islice(lines, LOOKED_AT)]
    if first and (told := _TOLD.fullmatch(first[0])):
        return told.group(1), 1
    if not first or _widths(first[:1], named) != {1}:
        return named, 0
    fitting = [one for one in SEPARATORS if one != named and one in first[0] and _fits(first, one)]
    return (fitting[0] if len(fitting) == 1 else named), 0


def _fits(lines: list[str], one: str) -> bool:
    widths = _widths(lines, one)
    return len(widths) == 1 and min(widths) > 1


def _widths(lines: list[str], one: str) -> set[int]:
    """How many cells the rows have that are whole within these lines; a row cut off by their end is left out."""
    widths: list[int] = []
    try:
        widths += [len(cells) for cells in csv.reader(lines, delimiter=one) if cells]
    except csv.Error:
        return set()
    whole = widths if len(lines) < LOOKED_AT else widths[:-1]
    return set(whole)
