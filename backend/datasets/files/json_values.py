"""JSON values read strictly, one after another, from a file of any size: duplicate keys refused, memory bounded."""

import json
import re
from collections.abc import Iterator
from typing import Any

from backend.shared.errors import InvalidInput

from .text_file import MAX_LINE_BYTES

MAX_COLUMNS = 256
_SPACE = re.compile(r"[ \t\r\n]*")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        twice = next(key for key, _ in pairs if sum(other == key for other, _ in pairs) > 1)
        raise ValueError(f"the key {twice[:100]!r} occurs twice")
    return found


_decoder = json.JSONDecoder(object_pairs_hook=_object)  # NaN is a float here; who maps its column says what it is


def parse(text: str, number: int) -> Any:
    """The value that line `number` is.

    Raises:
        InvalidInput: naming the line.
    """
    try:
        return _decoder.decode(text.rstrip("\r\n"))
    except (ValueError, RecursionError) as error:
        raise unreadable(error, number) from error


def unreadable(error: ValueError | RecursionError, number: int) -> InvalidInput:
    """The refusal of line `number`."""
    if isinstance(error, json.JSONDecodeError):
        return InvalidInput(f"Line {number:,} is not valid JSON: {error.msg} at character {error.colno}.")
    if isinstance(error, RecursionError):
        return InvalidInput(f"Line {number:,} is nested too deep.")
    return InvalidInput(f"Line {number:,} cannot be read: {error}.")


def as_row(found: Any, number: int) -> dict[str, Any]:
    """The value itself, if it is a row.

    Raises:
        InvalidInput: it is something else, or has too many keys.
    """
    if not isinstance(found, dict):
        raise InvalidInput(f'Line {number:,} is not a JSON object like {{"text": "...", "label": 1}}.')
    if len(found) > MAX_COLUMNS:
        raise InvalidInput(f"Line {number:,} has {len(found)} keys; {MAX_COLUMNS} are the most that are read.")
    return found


class Values:
    """The values of a document: those of its one array, or those that stand one after another.

    Each is taken as soon as its text has come; no more than 64 MiB wait for the end of one.
    """

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines, self._text, self._at, self._line = lines, "", 0, 1
        self._thrown = 0  # characters of the present line that are not in the text any more
        self._whole = False
        self.is_array = self._next_character() == "["
        if self.is_array:
            self._at += 1

    def __iter__(self) -> Iterator[tuple[int, Any]]:
        """(Number of the line it begins on, value); raises InvalidInput."""
        first = True
        while (character := self._next_character()) != "" and not (self.is_array and character == "]"):
            if self.is_array and not first:
                if character != ",":
                    raise self._wrong("Expecting ',' delimiter")
                self._at += 1
                self._next_character()
            yield self._line, self._value()
            first = False
        if not self.is_array:
            return
        if character == "":
            raise self._wrong("the array is never closed")
        self._at += 1
        if self._next_character() != "":
            raise self._wrong("something follows the end of the array")

    def _value(self) -> Any:
        line, wanted = self._line, 0
        while True:
            try:
                found, end = _decoder.raw_decode(self._text, self._at)
            except RecursionError as error:
                raise unreadable(error, line) from error
            except ValueError as error:
                if self._whole or not isinstance(error, json.JSONDecodeError):
                    raise self._placed(error) from error
                end = len(self._text)
            if end < len(self._text) or self._whole:
                self._skip(end)
                return found
            if len(self._text) - self._at > MAX_LINE_BYTES:
                raise InvalidInput(f"The JSON value that begins on line {line:,} is longer than 64 MiB.")
            wanted = max(2 * wanted, 1 << 16)
            self._more(wanted)

    def _placed(self, error: ValueError) -> InvalidInput:
        if isinstance(error, json.JSONDecodeError):
            self._skip(max(error.pos, self._at))
            return self._wrong(error.msg)
        return unreadable(error, self._line)

    def _wrong(self, what: str) -> InvalidInput:
        column = self._column() + 1
        return InvalidInput(f"Line {self._line:,} is not valid JSON: {what} at character {column}.")

    def _column(self) -> int:
        end = self._text.rfind("\n", 0, self._at)
        return self._at - end - 1 if end >= 0 else self._thrown + self._at

    def _next_character(self) -> str:
        while True:
            match = _SPACE.match(self._text, self._at)
            self._skip(match.end() if match else self._at)
            if self._at < len(self._text):
                return self._text[self._at]
            if self._whole:
                return ""
            self._more(1)

    def _skip(self, end: int) -> None:
        self._line += self._text.count("\n", self._at, end)
        self._at = end

    def _more(self, characters: int) -> None:
        """Read on, what has been taken thrown away."""
        self._thrown = self._column()
        parts, length = [self._text[self._at :]], 0
        while length < characters:
            line = next(self._lines, None)
            if line is None:
                self._whole = True
                break
            parts.append(line)
            length += len(line)
        self._text, self._at = "".join(parts), 0
