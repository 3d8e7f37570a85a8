"""Parquet files, read by a process of their own with bounded memory: their reader is a large library in C++.

That process (`parquet_child`) writes what it reads as JSON lines, so that all rules for text files hold here, too.
"""

import json
import os
import select
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import IO, Any

from backend.shared.errors import InvalidInput

from .table import Numbered, Source, Table, Watch
from .text_file import GZIP, MAX_LINE_BYTES, PARQUET

CANNOT = "The Parquet file cannot be read; write it again, or save it as CSV or JSONL."
SILENCE_MS, PIECE = 250, 1 << 16
SHOWN = 9  # columns that are left out, in a sentence


def read_parquet(source: Source) -> Table:
    """The columns that can be read, and the rows by their numbers.

    Columns that hold neither text, numbers, truth values nor lists of texts are left out, and told with their types.

    Raises:
        InvalidInput: at once for a file that is no Parquet; while reading where it is damaged or too large for memory.
    """
    path = source.path
    with path.open("rb") as file:
        start = file.read(4)
        file.seek(max(path.stat().st_size - 4, 0))
        if source.packed and start.startswith(GZIP):
            raise InvalidInput(
                "The file is a Parquet file packed with gzip; unpack it first, Parquet is packed itself."
            )
        if start != PARQUET or file.read(4) != PARQUET:
            raise InvalidInput("The file's name says Parquet, but its content is not (or is cut off).")
    lines = _lines(path, source.watch)
    first = next(lines, None)
    if not isinstance(first, dict) or "columns" not in first:
        lines.close()
        raise InvalidInput(first if isinstance(first, str) else CANNOT)
    notes = []
    if left_out := first["left_out"]:
        several = f" and {len(left_out) - SHOWN} more" if len(left_out) > SHOWN else ""
        told = ", ".join(f"{name[:60]!r} ({kind})" for name, kind in list(left_out.items())[:SHOWN])
        notes.append(f"Columns of types that are not read are left out: {told}{several}.")
    return Table(first["columns"], _rows(lines), notes=notes, names=first["names"], left_out=left_out)


def _rows(lines: Any) -> Numbered:
    with closing(lines):
        for number, row in enumerate(lines, start=1):
            if isinstance(row, str):
                raise InvalidInput(row)
            yield number, row


def _lines(path: Path, watch: Watch) -> Any:
    """What the child says; its last word is a sentence where something went wrong."""
    environment = {"PATH": os.environ.get("PATH", ""), "ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "1"}
    child = subprocess.Popen(
        [sys.executable, "-m", "backend.datasets.files.parquet_child", str(path)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=environment,
    )
    out: IO[bytes] = child.stdout  # type: ignore[assignment]  # a pipe was asked for
    try:
        for line in _said(out, watch):
            try:
                yield json.loads(line)
            except ValueError:
                yield CANNOT
                return
        if child.wait() != 0:
            yield CANNOT
    finally:
        child.kill()
        out.close()
        child.wait()


def _said(out: IO[bytes], watch: Watch) -> Iterator[bytes]:
    """The lines of the child; `watch` is asked also while it says nothing: it may unfold a page for minutes."""
    waiting = select.poll()
    waiting.register(out, select.POLLIN)
    rest: list[bytes] = []
    length = 0
    while True:
        while not waiting.poll(SILENCE_MS):
            watch(0)
        piece = os.read(out.fileno(), PIECE)
        watch(len(piece))
        *whole, last = piece.split(b"\n")
        for line in whole:
            yield b"".join([*rest, line])
            rest, length = [], 0
        rest.append(last)
        length += len(last)
        if not piece or length > MAX_LINE_BYTES:
            break
    if length:
        yield b"".join(rest)
