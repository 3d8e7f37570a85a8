"""How files become a data set: the task, which column is what, and which rows are held out."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Literal, Self

from pydantic import Field, model_validator

from backend.shared.errors import InvalidInput
from backend.shared.rows.cell import RowRefused
from backend.shared.rows.chat import chat_column
from backend.shared.rows.row import (
    REQUIRED,
    SHAPES,
    ColumnMapping,
    Format,
    Quotes,
    guess_mapping,
    keys_of,
    of_one_shape,
    takes_context,
)
from backend.shared.specs import Frozen, Task

Place = tuple[str | None, str | None]  # split and group, each where the file says it
TRAIN_NAMES = frozenset({"train", "training"})
QUOTES = (
    "What a quote in CSV and TSV is: around cells (quoted), or a character like any other (plain). By default around "
    "cells, but in TSV a character where the file shows it."
)
VALIDATION_NAMES = frozenset({"validation", "valid", "val", "dev", "eval"})


class SplitPlan(Frozen):
    """Which rows are held out for validation: a share of them, whole groups of them, or those that a column names."""

    by: Literal["ratio", "group", "column"] = "ratio"
    column: str | None = Field(None, max_length=1000, description="Column of the group, or of the split's name.")
    ratio: float = Field(0.2, gt=0, lt=1, description="Share held out: of the rows of each label, or of the groups.")
    seed: int = Field(0, ge=0, lt=2**31, description="Another seed holds out other rows.")
    validation_names: tuple[str, ...] | None = Field(
        None, min_length=1, max_length=50, description="By column: the names held out; all others are trained on."
    )

    @model_validator(mode="after")
    def _column_where_needed(self) -> Self:
        if (self.column is None) != (self.by == "ratio"):
            raise ValueError(f"a split by {self.by} {'needs' if self.column is None else 'takes no'} `column`")
        return self

    def placer(self, columns: list[str]) -> Callable[[dict[str, Any]], Place]:
        """A function from a row's values to its split and group; it raises RowRefused where the cell says neither.

        Raises:
            InvalidInput: there is no such column.
        """
        if self.column is None:
            return lambda values: (None, None)
        if self.column not in columns:
            raise _no_column(self.column, columns, "/split/column")
        column = self.column

        def group(values: dict[str, Any]) -> Place:
            return None, _cell(values, column)

        held = None if self.validation_names is None else {name.strip().casefold() for name in self.validation_names}

        def split(values: dict[str, Any]) -> Place:
            name = _cell(values, column).casefold()
            if held is not None:
                return ("validation" if name in held else "train"), None
            if name in VALIDATION_NAMES:
                return "validation", None
            if name not in TRAIN_NAMES:
                raise RowRefused(column, "names a split that is neither train nor validation")
            return "train", None

        return group if self.by == "group" else split


class ImportPlan(Frozen):
    """How files become a data set. Columns that `mapping` leaves out are guessed from their names."""

    task: Task
    mapping: ColumnMapping = ColumnMapping()
    format: Format | None = Field(None, description="By the file's name where unset.")
    quotes: Quotes = Field("auto", description=QUOTES)
    split: SplitPlan = SplitPlan()
    drop_repeats: bool = Field(
        False, description="Refuse rows that say what another row says, those held out before those trained on."
    )


def _cell(values: dict[str, Any], column: str) -> str:
    found = values.get(column)
    text = "" if found is None or isinstance(found, list | dict) else str(found).strip()
    if not text:
        raise RowRefused(column, "is empty")
    return text


PREFERENCES = (
    "The rows are preferences: a chosen and a rejected answer. One answer a row is trained on here; to learn the "
    "chosen ones, take the task causal_lm and name the columns of the prompt and, as the completion, the chosen one. "
    "Where the chosen one holds whole conversations, name it as messages."
)
NO_HEADER = " If the first line is a row already, put a line with the columns' names above it."
UNUSED = ("system", "history")  # beside an instruction; source: the Alpaca format of LLaMA-Factory


def unused(columns: list[str], plan: ImportPlan) -> list[str]:
    """A sentence about columns that say something of each row but are not read."""
    mapping = settle_mapping(plan.mapping, columns, plan.task)
    if plan.task != "causal_lm" or not takes_context(mapping.prompt):
        return []
    left = [column for column in columns if column.strip().lower() in UNUSED and column not in mapping.named().values()]
    return [f"Columns that are not trained on: {_listed(left)}."] if left else []


def guess_task(columns: list[str]) -> Task:
    """causal_lm where the names are of conversations, of prompts and completions, of preferences, or of a text with
    nothing beside it, and not of a text and a label; else classification.
    """
    one = guess_mapping(columns, "causal_lm")
    other = guess_mapping(columns, "classification")
    both = (one.prompt is not None and one.completion is not None) or chat_column(columns) is not None
    alone = [column.strip().lower() for column in columns] == ["text"]
    preferences = {"chosen", "rejected"} <= {column.strip().lower() for column in columns}
    return "causal_lm" if (both or alone or preferences) and None in (other.text, other.label) else "classification"


def settle_mapping(
    mapping: ColumnMapping, columns: list[str], task: Task, left_out: Mapping[str, str] = MappingProxyType({})
) -> ColumnMapping:
    """The mapping with its gaps filled from the column names, checked against them; `left_out` cannot be read.

    Raises:
        InvalidInput: a column that is not there, a key of another task, a column missing, or one used twice.
    """
    given = mapping.named()
    for key, column in given.items():
        if key not in keys_of(task):
            raise InvalidInput(
                f"A {key} column has no meaning for {task}; it takes {', '.join(keys_of(task))}.", f"/mapping/{key}"
            )
        if column not in columns:
            raise _no_column(column, columns, f"/mapping/{key}")
    guessed = {k: v for k, v in guess_mapping(columns, task).named().items() if v not in given.values()}
    settled = guessed | given
    if task == "causal_lm":
        _of_one_shape(given)
        settled = of_one_shape(settled, given)
        if not any(all(key in settled for key in shape) for shape in SHAPES):
            _require(REQUIRED[task], settled, columns, left_out)
    else:
        _require(REQUIRED[task], settled, columns, left_out)
    if "context" not in given and not takes_context(settled.get("prompt")):
        settled.pop("context", None)  # it belongs to an instruction only
    if len(set(settled.values())) != len(settled):
        raise InvalidInput("One column is used for two things; name each one's own column.", "/mapping")
    return ColumnMapping(**settled)


def _require(
    keys: tuple[str, ...], settled: Mapping[str, str], columns: list[str], left_out: Mapping[str, str]
) -> None:
    for key in keys:
        if key in settled:
            continue
        if {"chosen", "rejected"} <= {column.strip().lower() for column in [*columns, *left_out]}:
            raise InvalidInput(PREFERENCES, f"/mapping/{key}")
        typed = "".join(f"; left out: {name[:60]!r} ({kind})" for name, kind in list(left_out.items())[:9])
        raise InvalidInput(
            f"Which column is the {key}? The file has: {_listed(columns)}{typed}. Name it (--{key} COLUMN)."
            + (NO_HEADER if any(map(_like_a_cell, columns)) else ""),
            f"/mapping/{key}",
        )


def _of_one_shape(given: Mapping[str, str]) -> None:
    """Refuse columns of two shapes: a row is a conversation, or a prompt with its completion, or a text."""
    asked = [next(key for key in shape if key in given) for shape in SHAPES if any(key in given for key in shape)]
    if len(asked) > 1:
        raise InvalidInput(
            f"A row is a conversation (messages), a prompt with its completion, or a text alone; {asked[0]} and "
            f"{asked[1]} are of two kinds, so leave one out.",
            f"/mapping/{asked[1]}",
        )


def _like_a_cell(column: str) -> bool:
    """Whether a column's name looks like what stands in a cell: a number, or words enough for a sentence."""
    return column.strip().lstrip("-").replace(".", "", 1).isdigit() or len(column.split()) > 4


def _no_column(column: str, columns: list[str], pointer: str) -> InvalidInput:
    return InvalidInput(f"There is no column {column[:100]!r}. The file has: {_listed(columns)}.", pointer)


def _listed(columns: list[str]) -> str:
    return ", ".join(repr(column[:60]) for column in columns[:20])
