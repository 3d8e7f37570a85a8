"""Where the command line speaks: results on standard output, everything else on standard error."""

import logging
import sys
from pathlib import Path

from rich.console import Console

from backend.shared import logs

FILE_WIDTH = 160


def out() -> Console:
    """For results: what a person may want in a file or a pipe."""
    wide = None if sys.stdout.isatty() else FILE_WIDTH  # a file has no edge to wrap at
    return Console(file=sys.stdout, highlight=False, width=wide, soft_wrap=wide is not None)


def err() -> Console:
    """For progress and for errors."""
    return Console(file=sys.stderr, highlight=False, soft_wrap=not sys.stderr.isatty())


def log_to(target: Path | None, level: str, form: logs.Format = "text") -> None:
    """Send the log to a file, or to standard error where `target` is None."""
    handler = logging.StreamHandler(sys.stderr) if target is None else logging.FileHandler(target, delay=True)
    logs.configure(handler, level, form)
