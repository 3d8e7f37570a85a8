"""A study's report: what somebody wrote about it, over the comparison as it stands, or as it stood when frozen."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from backend.accounts.principal import Principal
from backend.charts import FIGURES, ChartOptions
from backend.comparison import build as comparison
from backend.comparison import snapshot
from backend.comparison.cache import Load
from backend.comparison.schema import Comparison
from backend.comparison.study_records import study_records
from backend.shared.database import Write
from backend.shared.errors import Conflict
from backend.shared.report_tables import Report
from backend.shared.store import studies
from backend.shared.tables import Study, now

from .elsewhere_table import elsewhere_table
from .methods_text import MethodsText, methods_text
from .table import ReportTable, in_time_table, result_table

# In the order of reading.
SHOWN = (
    "differences",
    "losses",
    "gap",
    "ranking",
    "significance",
    "train_inference",
    "accuracy",
    "heatmap",
    "capacity",
    "framework",
    "elsewhere",
)


@dataclass(frozen=True)
class ReportContent:
    """Everything that a page or a file of the report shows.

    `event_seq` is the state of the study that is shown, `latest_seq` where the study stands; they differ where the
    report is frozen. `version` is 0 where nobody has saved a report: then it has the study's name and no text.
    """

    title: str
    text: str
    version: int
    frozen_at: datetime | None
    updated_at: datetime | None
    latest_seq: int
    comparison: Comparison
    table: ReportTable
    in_time: ReportTable | None
    elsewhere: ReportTable | None
    figures: tuple[dict[str, Any], ...]
    methods: MethodsText


def read(session: Session, workspace_id: str, study_id: str, load: Load = study_records) -> ReportContent:
    """Return the report of a study; one that nobody has written yet has the study's name as its title.

    load: gives the study's records.
    """
    study = studies.get(session, workspace_id, study_id)
    saved = session.get(Report, study_id)
    if saved is not None and saved.frozen is not None:
        records = snapshot.load(saved.frozen).records
    else:
        # A report is handed on: it never shows more than a frozen one would.
        records = snapshot.public(load(session, study))
    compared = comparison.build(records)
    return ReportContent(
        title=study.name if saved is None else saved.title,
        text="" if saved is None else saved.text,
        version=0 if saved is None else saved.version,
        frozen_at=None if saved is None else saved.frozen_at,
        updated_at=None if saved is None else saved.updated_at,
        latest_seq=study.event_seq,
        comparison=compared,
        table=result_table(compared),
        in_time=in_time_table(compared),
        elsewhere=elsewhere_table(compared),
        figures=_figures(compared),
        methods=methods_text(records, compared),
    )


def save(
    session: Write,
    who: Principal,
    study_id: str,
    *,
    title: str,
    text: str,
    freeze: bool,
    version: int,
    load: Load = study_records,
) -> None:
    """Store title and text, and freeze the report or make it live; a frozen one stays at the records it has.

    Raises Conflict where the report was saved since `version` was read.
    """
    # The study's row is the lock: before the first save there is none of the report's own.
    session.execute(select(Study.id).where(Study.id == study_id).with_for_update())
    study = studies.get(session, who.workspace_id, study_id)
    saved = session.get(Report, study_id)
    if version != (0 if saved is None else saved.version):
        raise Conflict("somebody else saved this report meanwhile; copy your text, load the page again, and merge them")
    if saved is None:
        saved = Report(study_id=study_id, version=0)
        session.add(saved)
    saved.title, saved.text, saved.version = title, text, version + 1
    saved.updated_by, saved.updated_at = who.user_id, now()
    if freeze and saved.frozen is None:
        saved.frozen, saved.frozen_at = snapshot.dump(study.spec, load(session, study)), now()
    elif not freeze:
        saved.frozen = saved.frozen_at = None


def _figures(compared: Comparison) -> tuple[dict[str, Any], ...]:
    """The charts that have something to say about this study: a rank or rate that never varies has no chart."""
    varied = {"capacity": len({arm.rank for arm in compared.arms}) > 1, "heatmap": _has_axes(compared)}
    drawn = (FIGURES[name](compared, ChartOptions()) for name in SHOWN if varied.get(name, True))
    return tuple(figure for figure in drawn if figure["data"])


def _has_axes(compared: Comparison) -> bool:
    return any(arm.variant > 0 for arm in compared.arms)
