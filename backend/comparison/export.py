"""The raw numbers of a study as CSV: one line for each evaluation of each run, nothing thinned or averaged.

Source of the escaping: OWASP ASVS 1.2.10. Texts that a spreadsheet would run as a formula get an apostrophe; numbers
are written as they are, to the last digit.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from sqlalchemy import Row

from backend.edge.csv_text import csv_line, text
from backend.shared.database import Database
from backend.shared.metrics import ALSO, recorded
from backend.shared.specs import PlanSpec
from backend.shared.store import metrics, studies
from backend.shared.store import runs as run_store
from backend.shared.tables import Arm, Run, Study

from .plan.looked import planned
from .statistics.records import ArmRecord, RunRecord, StudyRecords

RUNS_AT_ONCE = 50
HEAD = ("arm", "method", "seed", "run", "status", "step", "epoch")
PLANNED = "planned"  # the last column: whether the plan judges the run; empty where there is no plan


def lines(database: Database, study_id: str) -> Iterator[str]:
    """The file in pieces, a session for each: none is held while the client reads."""
    with database.read() as session:
        arms = {arm.id: arm for arm in studies.arms(session, study_id)}
        runs = run_store.of_study(session, study_id)
        further = metrics.further_names(session, study_id)
        found = session.get(Study, study_id)
        plan = _plan(None if found is None else found.spec.get("plan"))
    yield csv_line([*HEAD, *(metric.name for metric in recorded()), *further, PLANNED])
    for start in range(0, len(runs), RUNS_AT_ONCE):
        some = runs[start : start + RUNS_AT_ONCE]
        with database.read() as session:
            evaluations = metrics.evaluations_of(session, [run.id for run in some])
        yield "".join(
            _run(run, arms[run.arm_id], evaluations.get(run.id, []), further, _planned(plan, arms[run.arm_id], run))
            for run in some
        )


def _plan(spec: Mapping[str, Any] | None) -> PlanSpec | None:
    return None if spec is None else PlanSpec.model_validate(spec)


def _planned(plan: PlanSpec | None, arm: Arm | ArmRecord, run: Run | RunRecord) -> str:
    return "" if plan is None else "yes" if planned(plan, arm.label, run.seed) else "no"


def _run(run: Run, arm: Arm, rows: Sequence[Row[Any]], further: list[str], of_plan: str) -> str:
    told = [text(arm.label), text(arm.method), str(run.seed), run.id, run.status]
    columns = [metric.column for metric in recorded()]
    return "".join(
        csv_line([*told, str(row.step), repr(row.epoch), *_numbers(row, columns, further), of_plan]) for row in rows
    )


def lines_of(records: StudyRecords) -> Iterator[str]:
    """The same file from a study's records, which a share link shows; nothing in it that the comparison does not hold.

    Records do not tell a value that is no number from one that is missing: both are empty.
    """
    table = records.evaluations
    names = [metric.name for metric in recorded()]
    names += sorted(name for name in table.metrics if name.startswith(ALSO))
    plan = _plan(records.plan)
    yield csv_line([*HEAD, *names, PLANNED])
    arms = {arm.id: arm for arm in records.arms}
    columns = [table.metrics.get(name) for name in names]
    for at in np.lexsort((table.step, table.run)):
        run = records.runs[table.run[at]]
        arm = arms[run.arm_id]
        told = [text(arm.label), text(arm.method), str(run.seed), run.id, run.status, str(table.step[at])]
        values = (None if column is None else float(column[at]) for column in columns)
        numbers = ("" if value is None or math.isnan(value) else repr(value) for value in values)
        yield csv_line([*told, repr(float(table.epoch[at])), *numbers, _planned(plan, arm, run)])


def _numbers(row: Row[Any], columns: list[str], further: list[str]) -> list[str]:
    own = [(column, getattr(row, column)) for column in columns]
    values = [*own, *((name, row.extra.get(name)) for name in further)]
    return [str(row.nonfinite.get(name, "")) if value is None else repr(value) for name, value in values]
