"""What files would become as a data set, before anything is stored: read as strictly, counted, and looked through."""

import random
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput, Problem
from backend.shared.rows.advice import Kept, advice, count, refuse_useless
from backend.shared.rows.cell import BadCell, RowRefused
from backend.shared.rows.chat import written
from backend.shared.rows.row import ColumnMapping, Format, guess_mapping
from backend.shared.rows.seen_rows import SeenRows
from backend.shared.rows.writer import MOST_NOTES

from .files.importing import bad_cell, open_table, row_reader, tell
from .files.plan import ImportPlan, guess_task, settle_mapping
from .files.table import Source, Table
from .lengths import Lengths, Texts, cut, measure
from .preview_warnings import partial
from .schemas import DatasetPreview, Flaw, Label, PreviewPlan, Refusal

MOST_ROWS = 100_000
MOST_SECONDS = 8.0
SHOWN_ROWS, SHOWN_CHARACTERS, SHOWN_REFUSALS, SHOWN_LABELS = 20, 300, 50, 50
MEASURED_ROWS = 1000


@dataclass
class _Seen:
    rows: SeenRows
    sample: list[dict[str, str | None]] = field(default_factory=list)
    refusals: list[Refusal] = field(default_factory=list)
    measured: list[Texts] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    read: int = 0
    whole: bool = True
    notes: list[str] = field(default_factory=list)

    def refuse(self, place: str, refused: RowRefused) -> None:
        self.rows.refuse(refused.column, refused.reason)
        if len(self.refusals) < SHOWN_REFUSALS:
            self.refusals.append(Refusal(place=place, column=refused.column[:200], reason=refused.reason))


class _Enough(Exception):
    """The time for a look is over."""


def preview(home: Path, train: Source, asked: PreviewPlan, validation: Source | None = None) -> DatasetPreview:
    """Look at the file, and at the one for validation where there is one, for a few seconds at most.

    Raises:
        InvalidInput: not even the columns can be read, or there is no such model.
    """
    train, validation = _timed(train, validation)
    try:
        table = open_table(train)
    except _Enough as error:
        raise InvalidInput("The beginning of the file takes too long to be read.") from error
    task = asked.task or guess_task([*table.columns, *table.left_out])
    plan = ImportPlan(**{**asked.model_dump(exclude={"model", "task"}), "task": task})
    seen, problems = _Seen(SeenRows(task, plan.split.seed)), []
    try:
        measured = asked.model is not None
        _read(seen, table, plan, None if validation is None else "train", measured)
        if validation is not None:
            _read(seen, open_table(validation), plan, "validation", measured)
    except _Enough:
        seen.whole = False
    except InvalidInput as error:
        problems = list(error.problems)
    try:
        mapping = settle_mapping(plan.mapping, table.columns, task)
    except InvalidInput:
        mapping = guess_mapping(table.columns, task)
    if not seen.sample:
        seen.sample = [_shown(values) for values in _first(train)]
    lengths = None if asked.model is None else measure(home, asked.model, seen.measured)
    return _told(train.format, table.columns, plan, mapping, seen, problems, lengths)


def _timed(train: Source, validation: Source | None) -> tuple[Source, Source | None]:
    end = time.monotonic() + MOST_SECONDS

    def watch(count: int) -> None:
        train.watch(count)
        if time.monotonic() > end:
            raise _Enough

    return replace(train, watch=watch), None if validation is None else replace(validation, watch=watch)


def _first(source: Source) -> Iterator[dict[str, Any]]:
    """The first rows of a file that a plan does not fit, as far as they can be read."""
    try:
        with closing(open_table(source).rows) as rows:
            for _, values in islice(rows, SHOWN_ROWS):
                yield values
    except (InvalidInput, _Enough):
        return


def _read(seen: _Seen, table: Table, plan: ImportPlan, split: str | None, measured: bool) -> None:
    make, place = row_reader(table, plan, split)
    draw = random.Random(0)
    with closing(table.rows):  # the process that reads Parquet ends with it
        for number, values in table.rows:
            if seen.read >= MOST_ROWS:
                raise _Enough
            seen.read += 1
            if len(seen.sample) < SHOWN_ROWS:
                seen.sample.append(_shown(values))
            try:
                row = make(values)
                seen.rows.add(row, *place(values))
            except RowRefused as refused:
                seen.refuse(f"{table.unit} {number:,}", refused)
                continue
            except BadCell as bad:
                raise bad_cell(bad, f"{table.unit} {number:,}") from bad
            if plan.task == "regression":
                seen.numbers.append(row["label"])
            if not measured:
                continue
            if len(seen.measured) < MEASURED_ROWS:
                seen.measured.append(cut(row))
            elif (drawn := int(draw.random() * seen.rows.kept)) < MEASURED_ROWS:
                seen.measured[drawn] = cut(row)
    tell(seen.notes, table, plan)


def _shown(values: dict[str, Any]) -> dict[str, str | None]:
    return {
        key[:200]: None if value is None else written(value)[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()
        for key, value in values.items()
    }


def _told(
    form: Format,
    columns: list[str],
    plan: ImportPlan,
    mapping: ColumnMapping,
    seen: _Seen,
    problems: list[Problem],
    lengths: Lengths | None,
) -> DatasetPreview:
    rows = seen.rows
    verdict = rows.decide(plan.split.ratio, plan.drop_repeats)
    kept = count(rows, verdict)
    if seen.whole and not problems:
        try:
            refuse_useless(kept)
        except InvalidInput as useless:
            problems = list(useless.problems)
    found = DatasetPreview(
        format=form,
        columns=tuple(columns),
        task=plan.task,
        mapping=mapping,
        problems=tuple(Flaw(pointer=one.pointer, detail=one.message) for one in problems),
        read=seen.read,
        whole=seen.whole and not problems,
        kept=kept.kept,
        refused=seen.read - kept.kept,
        refusals=tuple(seen.refusals),
        rows=kept.rows,
        labels=_labels(kept),
        label_count=len(kept.names),
        label_range=(min(seen.numbers), max(seen.numbers)) if seen.numbers else None,
        duplicates=verdict.duplicates,
        leaked=verdict.leaked,
        conflicting=verdict.conflicting,
        lengths=lengths,
        sample=tuple(seen.sample),
        warnings=(),
    )
    return found.model_copy(update={"warnings": (*advice(kept, seen.notes[:MOST_NOTES]), *partial(found))})


def _labels(kept: Kept) -> tuple[Label, ...]:
    if not kept.names:
        return ()
    found = [
        Label(name=name, train=train, validation=validation)
        for name, train, validation in zip(kept.names, kept.counts["train"], kept.counts["validation"], strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -(one.train + one.validation))[:SHOWN_LABELS])
