"""What files would become as a data set, before anything is stored: read as strictly, counted, and looked through."""

import random
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from backend.shared.errors import InvalidInput, Problem
from backend.shared.rows.advice import Kept, advice, count, refuse_useless
from backend.shared.rows.row import BadCell, ColumnMapping, Format, Row, RowRefused, guess_mapping
from backend.shared.rows.seen_rows import SeenRows
from backend.shared.specs import Task

from .files.importing import bad_cell, open_table, row_reader
from .files.plan import ImportPlan, settle_mapping
from .lengths import Lengths, measure
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
    measured: list[Row] = field(default_factory=list)
    numbers: list[float] = field(default_factory=list)
    read: int = 0
    whole: bool = True


def preview(
    home: Path, train: Path, form: Format, asked: PreviewPlan, validation: Path | None = None
) -> DatasetPreview:
    """Look at the file, and at the one for validation where there is one; `form` is the format of both.

    Raises:
        InvalidInput: not even the columns can be read, or there is no such model.
    """
    columns, rows = open_table(train, form)
    task = asked.task or guess_task(columns)
    plan = ImportPlan(**{**asked.model_dump(exclude={"model", "task"}), "task": task})
    seen, problems = _Seen(SeenRows(task, plan.split.seed)), []
    try:
        measured = asked.model is not None
        _read(seen, columns, rows, plan, None if validation is None else "train", measured)
        if validation is not None:
            _read(seen, *open_table(validation, form), plan, "validation", measured)
    except InvalidInput as error:
        problems = list(error.problems)
    try:
        mapping = settle_mapping(plan.mapping, columns, task)
    except InvalidInput:
        mapping = guess_mapping(columns, task)
    if not seen.sample:
        seen.sample = [_shown(values) for _, values in _first(train, form)]
    lengths = None if asked.model is None else measure(home, asked.model, seen.measured)
    return _told(form, columns, plan, mapping, seen, problems, lengths)


def guess_task(columns: list[str]) -> Task:
    """causal_lm where the names are of prompts and completions only, else classification."""
    one = guess_mapping(columns, "causal_lm")
    other = guess_mapping(columns, "classification")
    both = one.prompt is not None and one.completion is not None
    return "causal_lm" if both and other.label is None else "classification"


def _first(path: Path, form: Format) -> Iterator[tuple[int, dict[str, Any]]]:
    """The first rows of a file that a plan does not fit, as far as they can be read."""
    _, rows = open_table(path, form)
    try:
        for _ in range(SHOWN_ROWS):
            if (found := next(rows, None)) is None:
                return
            yield found
    except InvalidInput:
        return
    finally:
        rows.close()  # type: ignore[attr-defined]  # all three readers are generators


def _read(
    seen: _Seen, columns: list[str], rows: Iterator[Any], plan: ImportPlan, split: str | None, measured: bool
) -> None:
    make, place = row_reader(columns, plan, split)
    draw, end = random.Random(0), time.monotonic() + MOST_SECONDS
    for number, values in rows:
        if seen.read >= MOST_ROWS or (seen.read % 100 == 99 and time.monotonic() > end):
            seen.whole = False
            break
        seen.read += 1
        if len(seen.sample) < SHOWN_ROWS:
            seen.sample.append(_shown(values))
        try:
            row = make(values)
            seen.rows.add(row, *place(values))
        except RowRefused as refused:
            seen.rows.refuse(refused.column, refused.reason)
            if len(seen.refusals) < SHOWN_REFUSALS:
                told = Refusal(place=f"line {number:,}", column=refused.column[:200], reason=refused.reason)
                seen.refusals.append(told)
            continue
        except BadCell as bad:
            raise bad_cell(bad, f"line {number:,}") from bad
        if plan.task == "regression":
            seen.numbers.append(row["label"])
        if not measured:
            continue
        if len(seen.measured) < MEASURED_ROWS:
            seen.measured.append(row)
        elif (drawn := int(draw.random() * seen.rows.kept)) < MEASURED_ROWS:
            seen.measured[drawn] = row


def _shown(values: dict[str, Any]) -> dict[str, str | None]:
    return {
        key[:200]: None if value is None else str(value)[:SHOWN_CHARACTERS].encode("utf-8", "replace").decode()
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
    return found.model_copy(update={"warnings": (*advice(kept), *partial(found))})


def _labels(kept: Kept) -> tuple[Label, ...]:
    if not kept.names:
        return ()
    found = [
        Label(name=name, train=train, validation=validation)
        for name, train, validation in zip(kept.names, kept.counts["train"], kept.counts["validation"], strict=True)
    ]
    return tuple(sorted(found, key=lambda one: -(one.train + one.validation))[:SHOWN_LABELS])
