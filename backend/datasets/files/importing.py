"""A person's files into a stored data set: format, columns, rows, splits."""

from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput
from backend.shared.facts import DatasetFacts
from backend.shared.rows.budget import Budget
from backend.shared.rows.cell import BadCell, RowRefused
from backend.shared.rows.row import Row, row_maker
from backend.shared.rows.writer import DatasetWriter

from .delimited import DELIMITERS, read_delimited
from .json_rows import read_json
from .parquet import read_parquet
from .plan import ImportPlan, settle_mapping, unused
from .separator import separator
from .table import Source, Table, source_of
from .text_file import text_lines


def open_table(source: Source) -> Table:
    """Columns and rows of a file."""

    def lines() -> Iterator[str]:
        return text_lines(source.path, packed=source.packed, watch=source.watch)

    if source.format == "parquet":
        return read_parquet(source)
    if source.format == "jsonl":
        return read_json(lines)
    named = DELIMITERS[source.format]
    found, above = separator(lines(), named)
    table = Table(*read_delimited(source.path, found, source.quotes, lines, above))
    if found != named:
        table.notes.append(f"The cells of the file are separated by {found!r}, not by {named!r}; it is read so.")
    return table


def import_rows(
    folder: Path,
    train: Path | Source,
    validation: Path | Source | None,
    plan: ImportPlan,
    naming: dict[str, Any],
    budget: Budget | None = None,
) -> DatasetFacts:
    """Read the files into `folder` and return the data set's facts; `naming` as in `DatasetWriter.finish`.

    Where there is a file for validation, the plan's split is not used.

    Raises:
        InvalidInput: naming the line and column where the file cannot be trusted, or why nothing can be trained on it.
        TooLarge, Unavailable, Conflict: as the budget says.
    """
    with DatasetWriter(folder, plan.task, plan.split.seed, budget) as writer:
        if validation is None:
            _read(writer, train, plan, None, "")
        else:
            _read(writer, train, plan, "train", "training file, ")
            _read(writer, validation, plan, "validation", "validation file, ")
        return writer.finish(naming, plan.split.ratio, drop_repeats=plan.drop_repeats)


def _read(writer: DatasetWriter, file: Path | Source, plan: ImportPlan, split: str | None, called: str) -> None:
    source = source_of(file, None, plan.format, plan.quotes) if isinstance(file, Path) else file
    table = open_table(source)
    make, place = row_reader(table, plan, split)
    with closing(table.rows):  # the process that reads Parquet ends with it
        for number, values in table.rows:
            try:
                row = make(values)
                where, group = place(values)
                writer.add(row, where, group, number)
            except RowRefused as refused:
                writer.refuse(f"{called}{table.unit} {number}", refused.column, refused.reason, values)
            except BadCell as bad:
                raise bad_cell(bad, f"{called}{table.unit} {number:,}") from bad
    tell(writer.notes, table, plan)


def tell(notes: list[str], table: Table, plan: ImportPlan) -> None:
    """Add what there is to tell of a table that was read, each sentence once."""
    notes += [one for one in [*table.notes, *unused(table.columns, plan)] if one not in notes]


def bad_cell(bad: BadCell, place: str) -> InvalidInput:
    """The refusal of a whole file for one cell."""
    sentence = f"{place}, column {bad.column[:100]!r}: {bad.reason}."
    return InvalidInput(sentence[0].upper() + sentence[1:])


def row_reader(
    table: Table, plan: ImportPlan, split: str | None = None
) -> tuple[Callable[[dict[str, Any]], Row], Callable[[dict[str, Any]], tuple[str | None, str | None]]]:
    """Two functions of a file's values: its normalised row, and its split and group where the file says them.

    `split` is the one that all rows of the file belong to. Both functions may raise RowRefused, the first BadCell.

    Raises:
        InvalidInput: the plan does not fit the columns.
    """
    mapping = settle_mapping(plan.mapping, table.columns, plan.task, table.left_out)
    make = row_maker(mapping, plan.task, table.names.get(mapping.label or ""))
    if split is not None:
        return make, lambda values: (split, None)
    return make, plan.split.placer(table.columns)
