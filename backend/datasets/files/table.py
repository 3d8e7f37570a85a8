"""A file to be read, and what a reader makes of it: columns, rows, and what there is to tell of them."""

from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput
from backend.shared.rows.row import Format, Quotes

Watch = Callable[[int], None]  # told how many bytes were read; raises where reading is to end
Numbered = Generator[tuple[int, dict[str, Any]], None, None]
PACKED = ".gz"
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}


def unwatched(count: int) -> None:
    """Read on, however much it is."""


@dataclass(frozen=True)
class Source:
    """A file: where it lies, its format, whether its name says that it is packed, what quotes in it are."""

    path: Path
    format: Format
    packed: bool = False
    quotes: Quotes = "auto"
    watch: Watch = unwatched


@dataclass
class Table:
    """Column names, and rows with their numbers: of lines, or of rows, as `unit` says.

    `names` are the class names of numbered labels, `left_out` the types of columns that are not read; `notes` may grow
    until the last row is read.
    """

    columns: list[str]
    rows: Numbered
    unit: str = "line"
    notes: list[str] = field(default_factory=list)
    names: dict[str, list[str]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)


def format_of(name: str) -> Format:
    """The format that a file's name says, a last `.gz` aside.

    Raises:
        InvalidInput: none that is read here.
    """
    found = ending(name)
    if found is None:
        raise InvalidInput(
            f"{Path(name).name!r} is none of .csv, .tsv, .jsonl, .json or .parquet; name the format or rename it.",
            "/format",
        )
    return found


def ending(name: str) -> Format | None:
    """The format that a file's name says, None where it says none."""
    return ENDINGS.get(Path(bare(name)).suffix.lower())


def bare(name: str) -> str:
    """A file's name without the ending of its packing."""
    return name[: -len(PACKED)] if is_packed(name) else name


def is_packed(name: str) -> bool:
    """Whether a file's name says that it is packed."""
    return name.lower().endswith(PACKED)


def source_of(
    path: Path, name: str | None = None, form: Format | None = None, quotes: Quotes = "auto", watch: Watch = unwatched
) -> Source:
    """The file at a path, which may have been called otherwise by whoever brought it.

    Raises:
        InvalidInput: neither `form` nor the name says the format.
    """
    called = name or path.name
    return Source(path, form or format_of(called), is_packed(called), quotes, watch)
