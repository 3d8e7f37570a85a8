"""A study's rows made into the plain records that statistics and charts are computed from."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Row
from sqlalchemy.orm import Session

from backend.services.statistics.records import ArmRecord, Evaluations, RunRecord, StudyRecords
from backend.shared.events import METRICS
from backend.shared.store import metrics, runs, studies
from backend.shared.tables import Arm, Run, Study

_NOT_FINITE = {"nan": math.nan, "inf": math.inf, "-inf": -math.inf}


def study_records(session: Session, study: Study) -> StudyRecords:
    """Everything of a study that statistics need, on full data; call it in one session, so that it is of one moment."""
    rows = runs.of_study(session, study.id)
    parameters = {run.arm_id: run.trainable_parameters for run in rows if run.trainable_parameters is not None}
    return StudyRecords(
        study_id=study.id,
        name=study.name,
        event_seq=study.event_seq,
        task=str(study.spec.get("task", "classification")),
        arms=tuple(_arm(arm, parameters.get(arm.id)) for arm in studies.arms(session, study.id)),
        runs=tuple(_run(run) for run in rows),
        evaluations=_evaluations(rows, metrics.study_evaluations(session, study.id)),
        baseline_arm_id=study.baseline_arm_id,
        model=str(study.spec["model"]),
        dataset=str(study.spec["dataset"]),
    )


def _arm(arm: Arm, trainable_parameters: int | None) -> ArmRecord:
    return ArmRecord.from_spec(
        id=arm.id,
        key=arm.key,
        label=arm.label,
        method=arm.method,
        position=arm.position,
        spec=arm.spec,
        trainable_parameters=trainable_parameters,
    )


def _run(run: Run) -> RunRecord:
    final = {name: float(value) for name, value in (run.final or {}).items() if isinstance(value, int | float)}
    return RunRecord(
        id=run.id,
        arm_id=run.arm_id,
        seed=run.seed,
        status=run.status,
        failure_code=run.failure_code,
        message=run.message,
        step=run.step,
        total_steps=run.total_steps,
        seconds=run.seconds,
        flops=final.get("flops"),
        final=final,
    )


def _evaluations(rows: Sequence[Run], found: Sequence[Row[Any]]) -> Evaluations:
    index = {run.id: i for i, run in enumerate(rows)}
    return Evaluations(
        run=np.array([index[row.run_id] for row in found], np.int64),
        step=np.array([row.step for row in found], np.int64),
        epoch=np.array([row.epoch for row in found], np.float64),
        metrics={metric.name: _column(found, metric.column) for metric in METRICS},
    )


def _column(found: Sequence[Row[Any]], column: str) -> NDArray[np.float64]:
    values = np.full(len(found), np.nan)
    for i, row in enumerate(found):
        value = getattr(row, column)
        values[i] = _NOT_FINITE[row.nonfinite.get(column, "nan")] if value is None else value
    return values
