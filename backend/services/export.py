"""The raw numbers of a study as CSV: one line for each evaluation of each run, nothing thinned or averaged.

Source of the escaping: OWASP ASVS 1.2.10. Texts that a spreadsheet would run as a formula get an apostrophe; numbers
are written as they are, to the last digit.
"""

import csv
import io
from collections.abc import Iterator

from backend.shared.database import Database
from backend.shared.events import METRICS
from backend.shared.store import metrics, studies
from backend.shared.store import runs as run_store
from backend.shared.tables import EvaluationRow

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\0")
HEAD = ("arm", "method", "seed", "run", "status", "step", "epoch")


def lines(database: Database, study_id: str) -> Iterator[str]:
    """The file in pieces, a session a run: none is held while the client reads."""
    with database.read() as session:
        arms = {arm.id: arm for arm in studies.arms(session, study_id)}
        runs = run_store.of_study(session, study_id)
        further = sorted({name for row in metrics.study_evaluations(session, study_id) for name in row.extra})
    yield _line([*HEAD, *(metric.name for metric in METRICS), *further])
    for run in runs:
        arm = arms[run.arm_id]
        told = [text(arm.label), text(arm.method), str(run.seed), run.id, run.status]
        with database.read() as session:
            rows = metrics.evaluations(session, run.id)
        if rows:
            yield "".join(_line([*told, str(row.step), repr(row.epoch), *_numbers(row, further)]) for row in rows)


def text(value: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return f"'{value}" if value.startswith(_FORMULA_STARTS) else value


def _numbers(row: EvaluationRow, further: list[str]) -> list[str]:
    own = [(metric.column, getattr(row, metric.column)) for metric in METRICS]
    values = [*own, *((name, row.extra.get(name)) for name in further)]
    return [str(row.nonfinite.get(name, "")) if value is None else repr(value) for name, value in values]


def _line(cells: list[str]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow(cells)
    return buffer.getvalue()
