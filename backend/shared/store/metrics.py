"""Measurements read back: evaluations as rows, training losses as two flat arrays."""

import sys
from array import array
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

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
    """Evaluations of all runs of a study by run and step, as plain rows: objects would cost several times as much."""
    query = select(*EvaluationRow.__table__.columns).join(Run, Run.id == EvaluationRow.run_id)
    query = query.where(Run.study_id == study_id).order_by(EvaluationRow.run_id, EvaluationRow.step)
    return session.execute(query).all()


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
