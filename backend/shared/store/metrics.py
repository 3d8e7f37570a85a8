"""Measurements read back: evaluations as rows, training losses as two flat arrays."""

import sys
from array import array
from collections.abc import Sequence

from sqlalchemy import select
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


def study_evaluations(session: Session, study_id: str) -> list[EvaluationRow]:
    """Evaluations of all runs of a study, by run and step."""
    query = select(EvaluationRow).join(Run, Run.id == EvaluationRow.run_id).where(Run.study_id == study_id)
    return list(session.scalars(query.order_by(EvaluationRow.run_id, EvaluationRow.step)))


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
