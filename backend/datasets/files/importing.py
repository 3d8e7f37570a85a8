"""A person's files into a stored data set: format, columns, rows, splits."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.row import BadCell, Format, Row, RowRefused, row_maker
from backend.shared.rows.writer import DatasetWriter

from .delimited import DELIMITERS, read_delimited
from .json_lines import read_json_lines
from .parquet import read_parquet
from .plan import ImportPlan, settle_mapping

Table = tuple[list[str], Iterator[tuple[int, dict[str, Any]]]]
ENDINGS: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".json": "jsonl",
    ".parquet": "parquet",
}


def format_of(name: str) -> Format:
    """The format that a file's name says.

    Raises:
        InvalidInput: none that is read here.
    """
    found = ENDINGS.get(Path(name).suffix.lower())
    if found is None:
        raise InvalidInput(
            f"{Path(name).name!r} is none of .csv, .tsv, .jsonl or .parquet; name the format or rename the file.",
            "/format",
        )
    return found


def open_table(path: Path, form: Format) -> Table:
    """Columns and rows of a file; each row with the number of its line (in Parquet: its number)."""
    if form == "parquet":
        return read_parquet(path)
    return read_json_lines(path) if form == "jsonl" else read_delimited(path, DELIMITERS[form])


def import_rows(
    folder: Path, train: Path, validation: Path | None, plan: ImportPlan, naming: dict[str, Any]
) -> DatasetFacts:
    """Read the files into `folder` and return the data set's facts; `naming` as in `DatasetWriter.finish`.

    Where there is a file for validation, the plan's split is not used.

    Raises:
        InvalidInput: naming the line and column where the file cannot be trusted, or why nothing can be trained on it.
    """
    with DatasetWriter(folder, plan.task, plan.split.seed) as writer:
        if validation is None:
            _read(writer, train, plan, None, "")
        else:
            _read(writer, train, plan, "train", "training file, ")
            _read(writer, validation, plan, "validation", "validation file, ")
        return writer.finish(naming, plan.split.ratio, drop_repeats=plan.drop_repeats)


def _read(writer: DatasetWriter, path: Path, plan: ImportPlan, split: str | None, file: str) -> None:
    columns, rows = open_table(path, plan.format or format_of(path.name))
    make, place = row_reader(columns, plan, split)
    for number, values in rows:
        try:
            row = make(values)
            where, group = place(values)
            writer.add(row, where, group, number)
        except RowRefused as refused:
            writer.refuse(f"{file}line {number}", refused.column, refused.reason, values)
        except BadCell as bad:
            raise bad_cell(bad, f"{file}line {number:,}") from bad


def bad_cell(bad: BadCell, place: str) -> InvalidInput:
    """The refusal of a whole file for one cell."""
    sentence = f"{place}, column {bad.column[:100]!r}: {bad.reason}."
    return InvalidInput(sentence[0].upper() + sentence[1:])


def row_reader(
    columns: list[str], plan: ImportPlan, split: str | None = None
) -> tuple[Callable[[dict[str, Any]], Row], Callable[[dict[str, Any]], tuple[str | None, str | None]]]:
    """Two functions of a file's values: its normalised row, and its split and group where the file says them.

    `split` is the one that all rows of the file belong to. Both functions may raise RowRefused, the first BadCell.

    Raises:
        InvalidInput: the plan does not fit the columns.
    """
    make = row_maker(settle_mapping(plan.mapping, columns, plan.task), plan.task)
    if split is not None:
        return make, lambda values: (split, None)
    return make, plan.split.placer(columns)
