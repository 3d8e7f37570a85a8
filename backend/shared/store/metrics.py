"""Measurements read back: evaluations as rows, training losses as two flat arrays."""

import sys
from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, Text, cast, select
from sqlalchemy.orm import Session

from backend.shared.metrics import recorded
from backend.shared.tables import EvaluationRow, Run, TrainLossBlock


def evaluations(
    session: Session, run_id: str, first_step: int | None = None, last_step: int | None = None
) -> list[EvaluationRow]:
    """Evaluations of a run by step, both ends included."""
    query = select(EvaluationRow).where(EvaluationRow.run_id == run_id)
    if first_step is not None:
        query = query.where(EvaluationRow.step >= first_step)
    if last_step is not None:
        query = query.where(EvaluationRow.step <= last_step)
    return list(session.scalars(query.order_by(EvaluationRow.step)))


def study_evaluations(session: Session, study_id: str) -> Sequence[Row[Any]]:
    """(run_id, step, epoch, one value for each of `recorded()`) of all runs of a study, by run and step.

    A value that is missing or not finite is None: `study_nonfinite` tells which. Whole objects, or the JSON of each
    row, would cost several times as much.
    """
    values = (EvaluationRow.__table__.columns[metric.column] for metric in recorded())
    query = select(EvaluationRow.run_id, EvaluationRow.step, EvaluationRow.epoch, *values)
    query = query.join(Run, Run.id == EvaluationRow.run_id).where(Run.study_id == study_id)
    return session.execute(query.order_by(EvaluationRow.run_id, EvaluationRow.step)).all()


def study_nonfinite(session: Session, study_id: str) -> dict[tuple[str, int], dict[str, str]]:
    """(run id, step) → column → "nan", "inf" or "-inf", of the evaluations of a study that have any such value."""
    query = select(EvaluationRow.run_id, EvaluationRow.step, EvaluationRow.nonfinite)
    query = query.join(Run, Run.id == EvaluationRow.run_id).where(Run.study_id == study_id)
    rows = session.execute(query.where(cast(EvaluationRow.nonfinite, Text) != "{}"))
    return {(run_id, step): nonfinite for run_id, step, nonfinite in rows}


def evaluations_of(session: Session, run_ids: Sequence[str]) -> dict[str, list[Row[Any]]]:
    """Run id → its evaluations by step, as plain rows."""
    query = select(*EvaluationRow.__table__.columns).where(EvaluationRow.run_id.in_(run_ids))
    found: dict[str, list[Row[Any]]] = {}
    for row in session.execute(query.order_by(EvaluationRow.run_id, EvaluationRow.step)):
        found.setdefault(row.run_id, []).append(row)
    return found


def further_names(session: Session, study_id: str) -> list[str]:
    """Names of the metrics beside those that every evaluation has, over a whole study."""
    query = select(EvaluationRow.extra).join(Run, Run.id == EvaluationRow.run_id).where(Run.study_id == study_id)
    return sorted({name for extra in session.scalars(query) for name in extra})


def study_further(session: Session, study_id: str) -> dict[tuple[str, int], dict[str, float | None]]:
    """(run id, step) → what was recorded beside the metrics that every evaluation has, by name; of a whole study."""
    query = select(EvaluationRow.run_id, EvaluationRow.step, EvaluationRow.extra)
    query = query.join(Run, Run.id == EvaluationRow.run_id).where(Run.study_id == study_id)
    return {(run_id, step): extra for run_id, step, extra in session.execute(query)}


def train_losses(
    session: Session, run_id: str, first_step: int | None = None, last_step: int | None = None
) -> tuple[Sequence[int], Sequence[float]]:
    """Steps and training losses of a run, steps ascending, both ends included; NaN where the loss was none."""
    query = select(TrainLossBlock).where(TrainLossBlock.run_id == run_id).order_by(TrainLossBlock.first_step)
    steps, losses = array("q"), array("d")
    for block in session.scalars(query):
        values = array("d")
        values.frombytes(block.losses)
        if sys.byteorder == "big":
            values.byteswap()
        low = max(0, (first_step or 0) - block.first_step)
        high = len(values) if last_step is None else max(0, last_step - block.first_step + 1)
        kept = values[low:high]
        steps.extend(range(block.first_step + low, block.first_step + low + len(kept)))
        losses.extend(kept)
    return steps, losses
