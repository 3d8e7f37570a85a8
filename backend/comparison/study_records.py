"""A study's rows made into the plain records that statistics and charts are computed from."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
from sqlalchemy.orm import Session

from backend.shared.metrics import ALSO, recorded
from backend.shared.store import metrics, runs, studies
from backend.shared.tables import Arm, Run, Study

from . import explored
from .statistics.records import ArmRecord, Evaluations, Floats, RunRecord, StudyRecords

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
        evaluations=_evaluations(session, study.id, rows, further=bool(study.spec.get("also_measure"))),
        baseline_arm_id=study.baseline_arm_id,
        model=str(study.spec["model"]),
        dataset=str(study.spec["dataset"]),
        draws_rows=study.spec.get("train_rows") is not None,
        plan=study.spec.get("plan"),
        explored=() if study.spec.get("plan") is None else explored.views(session, study.id),
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


def _evaluations(session: Session, study_id: str, rows: Sequence[Run], *, further: bool) -> Evaluations:
    """further: with what was measured on further data sets."""
    index = {run.id: i for i, run in enumerate(rows)}
    found = metrics.study_evaluations(session, study_id)
    own = recorded()
    values = np.array([row[2:] for row in found], np.float64).reshape(len(found), 1 + len(own))  # None: NaN
    columns = {metric.column: values[:, 1 + i].copy() for i, metric in enumerate(own)}
    nonfinite = metrics.study_nonfinite(session, study_id)
    places = {(row.run_id, row.step): i for i, row in enumerate(found)} if nonfinite or further else {}
    elsewhere = _elsewhere(session, study_id, places) if further else {}
    columns |= elsewhere
    if nonfinite:
        for place, kinds in nonfinite.items():
            for column, kind in kinds.items():
                if column in columns:
                    columns[column][places[place]] = _NOT_FINITE[kind]
    return Evaluations(
        run=np.array([index[row.run_id] for row in found], np.int64),
        step=np.array([row.step for row in found], np.int64),
        epoch=values[:, 0].copy(),
        metrics={metric.name: columns[metric.column] for metric in own} | elsewhere,
    )


def _elsewhere(session: Session, study_id: str, places: Mapping[tuple[str, int], int]) -> dict[str, Floats]:
    """A column for each metric of a further data set, by name; places: of each (run id, step)."""
    columns: dict[str, Floats] = {}
    for place, extra in metrics.study_further(session, study_id).items():
        for name, value in extra.items():
            if value is not None and name.startswith(ALSO):
                columns.setdefault(name, np.full(len(places), np.nan))[places[place]] = value
    return columns
