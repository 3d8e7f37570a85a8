"""A person's files into a stored data set: format, columns, rows, splits."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.delimited import DELIMITERS, read_delimited
from backend.shared.rows.json_lines import read_json_lines
from backend.shared.rows.row import (
    REQUIRED,
    BadCell,
    ColumnMapping,
    Format,
    RowRefused,
    guess_mapping,
    keys_of,
    normalise,
)
from backend.shared.rows.writer import DatasetWriter
from backend.shared.specs import Task

Table = tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]
_ENDINGS: dict[str, Format] = {".csv": "csv", ".tsv": "tsv", ".jsonl": "jsonl", ".ndjson": "jsonl", ".json": "jsonl"}


@dataclass(frozen=True)
class ImportPlan:
    """How files become a data set. `mapping` keys that are unset are guessed from the column names."""

    task: Task
    mapping: ColumnMapping = field(default_factory=ColumnMapping)
    format: Format | None = None
    validation_ratio: float = 0.2
    seed: int = 0


def format_of(name: str) -> Format:
    """The format that a file's name says.

    Raises:
        InvalidInput: none that is read here.
    """
    found = _ENDINGS.get(Path(name).suffix.lower())
    if found is None:
        raise InvalidInput(f"{Path(name).name!r} is none of .csv, .tsv or .jsonl; name the format or rename the file.")
    return found


def open_table(path: Path, form: Format) -> Table:
    """Columns and rows of a file."""
    return read_json_lines(path) if form == "jsonl" else read_delimited(path, DELIMITERS[form])


def settle_mapping(mapping: ColumnMapping, columns: list[str], task: Task) -> ColumnMapping:
    """The mapping with its gaps filled from the column names, checked against them.

    Raises:
        InvalidInput: a column that is not there, a key of another task, a column missing, or one used twice.
    """
    given = mapping.named()
    for key, column in given.items():
        if key not in keys_of(task):
            raise InvalidInput(
                f"A {key} column has no meaning for {task}; it takes {', '.join(keys_of(task))}.", f"/{key}"
            )
        if column not in columns:
            raise InvalidInput(f"There is no column {column[:100]!r}. The file has: {_listed(columns)}.", f"/{key}")
    guessed = {k: v for k, v in guess_mapping(columns, task).named().items() if v not in given.values()}
    settled = guessed | given
    for key in REQUIRED[task]:
        if key not in settled:
            raise InvalidInput(
                f"Which column is the {key}? The file has: {_listed(columns)}. Say --{key} COLUMN.", f"/{key}"
            )
    if len(set(settled.values())) != len(settled):
        raise InvalidInput("One column is used for two things; name each one's own column.")
    return ColumnMapping(**settled)


def _listed(columns: list[str]) -> str:
    return ", ".join(repr(column[:60]) for column in columns[:20])


def import_rows(
    folder: Path, train: Path, validation: Path | None, plan: ImportPlan, naming: dict[str, Any]
) -> DatasetFacts:
    """Read the files into `folder` and return the data set's facts; `naming` as in `DatasetWriter.finish`.

    Raises:
        InvalidInput: naming the line and column where the file cannot be trusted, or why nothing can be trained on it.
    """
    if not 0 < plan.validation_ratio < 1:
        raise InvalidInput("The share held out for validation must lie between 0 and 1, both excluded.")
    with DatasetWriter(folder, plan.task, plan.seed) as writer:
        if validation is None:
            _read(writer, train, plan, None, "")
        else:
            _read(writer, train, plan, "train", "training file, ")
            _read(writer, validation, plan, "validation", "validation file, ")
        return writer.finish(naming, plan.validation_ratio)


def _read(writer: DatasetWriter, path: Path, plan: ImportPlan, split: str | None, file: str) -> None:
    columns, rows = open_table(path, plan.format or format_of(path.name))
    mapping = settle_mapping(plan.mapping, columns, plan.task)
    for number, values in rows:
        try:
            writer.add(normalise(values, mapping, plan.task), split)
        except RowRefused as refused:
            writer.refuse(f"{file}line {number}", refused.column, refused.reason)
        except BadCell as bad:
            place = f"{file}line {number:,}, column {bad.column[:100]!r}"
            raise InvalidInput(f"{place[0].upper()}{place[1:]}: {bad.reason}.") from bad
