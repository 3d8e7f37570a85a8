"""One form of log for server, worker and trainer: each line says which request, study, pack or run it speaks of.

As text, those words follow the logger's name; with DROPSCOPE_LOG_FORMAT=json each line is one JSON object, with the
same words as keys. `about` sets them for a block, in this thread or task only.
"""

import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Literal

Format = Literal["text", "json"]
_ABOUT: ContextVar[dict[str, str]] = ContextVar("about", default={})  # noqa: B039  (never changed in place)
MOST_BYTES = 8 << 20
_CHATTY = ("httpx", "httpcore", "alembic", "kombu")


@contextmanager
def about(**words: str) -> Iterator[None]:
    """Say in every line of this block what it speaks of: request_id, study_id, claim_id, run_ids, worker_id."""
    before = _ABOUT.set({**_ABOUT.get(), **words})
    try:
        yield
    finally:
        _ABOUT.reset(before)


def file_handler(target: Path) -> logging.Handler:
    """Writes to a file of our own, which is never longer than `MOST_BYTES`; what was before is kept once, as `.1`."""
    target.parent.mkdir(parents=True, exist_ok=True)
    return RotatingFileHandler(
        target, maxBytes=MOST_BYTES, backupCount=1, encoding="utf-8", errors="backslashreplace", delay=True
    )


def cut(file: Path, most: int = MOST_BYTES) -> None:
    """Keep a log within `most` bytes that a process goes on appending to: what is there moves to `.1`."""
    try:
        if file.stat().st_size > most:
            shutil.copyfile(file, file.with_name(f"{file.name}.1"))
            os.truncate(file, 0)
    except OSError as error:
        logging.getLogger(__name__).warning("the log %s could not be cut: %s", file.name, error)


def configure(handlers: Sequence[logging.Handler], level: str, form: Format) -> None:
    """Send all logging of this process to these handlers, in one form."""
    for handler in handlers:
        handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level.upper(), handlers=handlers, force=True)
    for chatty in _CHATTY:
        logging.getLogger(chatty).setLevel(logging.WARNING)


class TextLines(logging.Formatter):
    """For people: time, level, logger, what it speaks of, message."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s%(about)s %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """One line; a traceback follows it."""
        words = _ABOUT.get()
        record.about = f" [{' '.join(f'{key}={value}' for key, value in words.items())}]" if words else ""
        return super().format(record)


class JsonLines(logging.Formatter):
    """For programs: one object a line, a traceback inside it."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            **_ABOUT.get(),
            "message": record.getMessage(),
        }
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=True)
