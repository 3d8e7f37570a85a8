"""Where the command line speaks: results on standard output, everything else on standard error.

Names, labels, columns, cards and errors are other people's texts. What would steer a terminal in them (move its cursor,
change its title, turn the writing round) is shown as what it is, `\\u001b`, which JSON reads back as it was.
"""

import io
import logging
import sys
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from rich.console import Console, ConsoleOptions, RenderableType
from rich.segment import Segment

from backend.shared import logs

FILE_WIDTH = 160
_STEERING = {"Cc", "Cf", "Cs", "Zl", "Zp"}  # controls, marks of direction, halves of characters, ends of lines
_KEPT = {"\n", "\t", "\u200c", "\u200d", "\u00ad", "\ufeff"}  # of these, what plain texts of many scripts are made with


def harmless(text: str) -> str:
    """A text with everything in it written out that a terminal would obey."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(
        f"\\u{ord(one):04x}"
        if one not in _KEPT and unicodedata.category(one) in _STEERING and ord(one) < 1 << 16
        else one
        for one in text
    )


class _Harmless(Console):
    """A console that obeys nobody but this program."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterable[Segment]:
        """What is printed, piece by piece."""
        for piece in super().render(renderable, options):
            yield piece if piece.control else Segment(harmless(piece.text), piece.style)


def say_in_any_letters() -> None:
    """A terminal or pipe that lacks a letter (PYTHONIOENCODING=ascii, an old locale) gets a ? for it, no traceback."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):  # what a test or a program puts there may be anything
            stream.reconfigure(errors="replace")


def out() -> Console:
    """For results: what a person may want in a file or a pipe."""
    wide = None if sys.stdout.isatty() else FILE_WIDTH  # a file has no edge to wrap at
    return _Harmless(
        file=sys.stdout, highlight=False, markup=False, emoji=False, width=wide, soft_wrap=wide is not None
    )


def err() -> Console:
    """For progress and for errors."""
    return _Harmless(file=sys.stderr, highlight=False, markup=False, emoji=False, soft_wrap=not sys.stderr.isatty())


def log_to(target: Path | None, level: str, form: logs.Format = "text", *, aloud: bool) -> None:
    """Send the log to a file where one is named, and to standard error where it is to be heard."""
    to_file = [] if target is None else [logs.file_handler(target)]
    logs.configure([*to_file, *([logging.StreamHandler(sys.stderr)] if aloud else [])], level, form)
