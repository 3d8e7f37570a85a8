"""Rows of a further data set, as the runs of a study are measured on them: the same for every arm and seed."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from backend.shared.catalogue import require_model
from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import AlsoSpec, ArmKeySpec
from worker.data.encode import encode
from worker.data.order import ELSEWHERE, shuffled
from worker.data.rows import Rows
from worker.data.source import load
from worker.data.tokenised import reader_of


@dataclass(frozen=True)
class Further:
    """Rows in tokens, and what is to be said of them in a run's log."""

    rows: Rows
    notes: tuple[str, ...]


def further(also: AlsoSpec, arm: ArmKeySpec, label_names: tuple[str, ...], tokenizer: Any, home: Path) -> Further:
    """The rows of `also` in tokens of the arm's model, cut as the arm's own rows are.

    label_names: those of the arm's own data set, by whose codes classes are told.

    Raises:
        TrainingError: the data set is not here any more, or is another one, or nothing of it is left when cut.
    """
    dataset = load(also.dataset, also.task, home)
    drawn = shuffled(dataset.facts.rows[also.split], ELSEWHERE)[: also.rows]
    texts = iter(dataset.rows_at(also.split, drawn.tolist()))
    context = require_model(home, arm.model.id).context_length
    reader = reader_of(dataset, arm.model, tokenizer, arm.training, home)
    found = encode(texts, arm.task, tokenizer, arm.training.max_length, context, reader)
    flat, dropped, cut = found.rows, found.dropped, found.truncated
    name = also.dataset.id
    if not len(flat):
        raise TrainingError(
            FailureCode.BAD_INPUT,
            f"Cut to max_length, no row of {name} keeps anything to be measured by; raise `training.max_length`, or "
            "leave it out of `also_measure`.",
        )
    rows = flat.take(np.arange(len(flat)))
    if arm.task == "classification":
        rows = replace(rows, labels=_codes(also, dataset.label_names, label_names)[rows.labels])
    notes = [f"Also measured on {len(flat):,} {also.split} rows of {name}."]
    if dropped:
        notes.append(f"{dropped} more rows of {name} were left out: cut to the largest length, nothing was left.")
    if cut:
        notes.append(f"{cut} of {len(flat)} rows of {name} were cut to the largest length.")
    return Further(rows, tuple(notes))


def _codes(also: AlsoSpec, theirs: tuple[str, ...], ours: tuple[str, ...]) -> np.ndarray:
    """Our code of each of their classes, [C]: the same names may stand in another order."""
    if sorted(theirs) != sorted(ours):
        raise TrainingError(
            FailureCode.BAD_INPUT,
            f"{also.dataset.id} has the classes {', '.join(theirs)}, and the study's own are {', '.join(ours)}.",
        )
    return np.array([ours.index(name) for name in theirs], np.int64)
