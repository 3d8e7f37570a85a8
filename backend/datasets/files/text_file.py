"""Lines of an uploaded text file, checked to be UTF-8 text and nothing else in disguise."""

import codecs
import gzip
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from backend.shared.errors import InvalidInput

from .table import Watch, unwatched

MAX_LINE_BYTES = 64 << 20
PARQUET = b"PAR1"
GZIP = b"\x1f\x8b"
_CHUNK = 1 << 20
_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"PK\x03\x04", "a zip archive (or a spreadsheet); save it as CSV"),
    (b"PK\x05\x06", "an empty zip archive"),
    (GZIP, "compressed with gzip; give it the ending .gz (as in rows.csv.gz), or unpack it first"),
    (b"\x28\xb5\x2f\xfd", "compressed with zstd; unpack it first"),
    (b"BZh", "compressed with bzip2; unpack it first"),
    (b"\xfd7zXZ\x00", "compressed with xz; unpack it first"),
    (PARQUET, "a Parquet file; give it the ending .parquet (or the format parquet)"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"%PDF", "a PDF"),
    (b"SQLite format 3\x00", "an SQLite database"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file; save it as CSV"),
    (b"\xff\xfe", "encoded as UTF-16; save it as UTF-8"),
    (b"\xfe\xff", "encoded as UTF-16; save it as UTF-8"),
)


def refuse_disguises(start: bytes) -> None:
    """Refuse files whose first bytes say that they are no text, whatever their name says.

    Raises:
        InvalidInput: empty, or a known binary format, pickled objects among them.
    """
    if not start:
        raise InvalidInput("The file is empty.")
    for mark, name in _MAGIC:
        if start.startswith(mark):
            raise InvalidInput(f"The file is {name}.")
    if start[0] == 0x80 and len(start) > 1 and start[1] in (2, 3, 4, 5):
        raise InvalidInput(
            "The file holds pickled Python objects, which can run code when read; save it as CSV or JSONL."
        )


@contextmanager
def _unpacked(path: Path, packed: bool) -> Iterator[IO[bytes]]:
    """The file, unpacked where its name and its first bytes say gzip: who loaded it may have unpacked it before."""
    with path.open("rb") as file:
        if not packed or not file.read(2).startswith(GZIP):
            file.seek(0)
            yield file
            return
        file.seek(0)
        try:
            with gzip.GzipFile(fileobj=file) as inside:
                yield inside  # type: ignore[misc]  # it has all that is asked of a file here
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InvalidInput("The packed file is damaged or cut off; pack it again.") from error


def text_lines(path: Path, *, packed: bool = False, watch: Watch = unwatched) -> Iterator[str]:
    """The file's lines with their line ends, a byte order mark at the start left out.

    A line ends with LF or CRLF, or with CR in a file that begins without any LF; other characters that Python counts as
    line ends stay part of the text.

    Raises:
        InvalidInput: naming the line: not UTF-8, a NUL character, or a line of more than 64 MiB.
    """
    decode = codecs.getincrementaldecoder("utf-8")(errors="strict")  # "utf-8-sig" takes half a mark for an empty file
    number, rest, at_start, end = 1, "", True, ""
    with _unpacked(path, packed) as file:
        while True:
            chunk = file.read(_CHUNK)
            watch(len(chunk))
            if not end:
                refuse_disguises(chunk[:16])
                end = "\r" if b"\r" in chunk[:-1] and b"\n" not in chunk else "\n"
            try:
                text = decode.decode(chunk, final=not chunk)
            except UnicodeDecodeError as error:
                line = number + error.object[: error.start].count(end.encode())
                raise InvalidInput(
                    f"Line {line:,} is not UTF-8 text ({error.reason}); save the file with the encoding UTF-8."
                ) from error
            if at_start and text:
                text, at_start = text.removeprefix("\ufeff"), False
            if "\0" in text:
                line = number + (rest + text).split("\0", 1)[0].count(end)
                raise InvalidInput(f"Line {line:,} holds a NUL character, so this is not a text file.")
            *whole, rest = (rest + text).split(end)
            for line_text in whole:
                yield line_text + end
            number += len(whole)
            if len(rest) > MAX_LINE_BYTES:
                raise InvalidInput(f"Line {number:,} is longer than 64 MiB.")
            if not chunk:
                break
    if rest:
        yield rest
