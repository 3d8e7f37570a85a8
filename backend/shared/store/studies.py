"""Studies and their arms: found, listed, stored."""

from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, and_, insert, or_, select
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.errors import NotFound
from backend.shared.tables import EPOCH, Arm, Run, Study


def sort_key(study: Study) -> tuple[int, str]:
    """What the list of studies is ordered by: microseconds of creation since 1970, then the id."""
    return (study.created_at - EPOCH) // timedelta(microseconds=1), study.id


def made_before(at: datetime, study_id: str) -> ColumnElement[bool]:
    """Whether a study was made before this moment, or at it with a smaller id."""
    return or_(Study.created_at < at, and_(Study.created_at == at, Study.id < study_id))


def get(session: Session, workspace_id: str, study_id: str) -> Study:
    """A study of this workspace; NotFound for one of another, too."""
    study = session.get(Study, study_id)
    if study is None or study.workspace_id != workspace_id:
        raise NotFound(f"there is no study '{study_id[:100]}'")
    return study


def page(
    session: Session,
    workspace_id: str,
    *,
    archived: bool,
    search: str | None,
    before: tuple[int, str] | None,
    limit: int,
) -> list[Study]:
    """Studies newest first, beginning after the sort key `before`; `search` is looked for in name, model and data."""
    query = select(Study).where(Study.workspace_id == workspace_id)
    query = query.where(Study.archived_at.is_not(None) if archived else Study.archived_at.is_(None))
    if search:
        parts = (Study.name, Study.spec["model"].as_string(), Study.spec["dataset"].as_string())
        query = query.where(or_(*(part.icontains(search, autoescape=True) for part in parts)))
    if before is not None:
        query = query.where(made_before(EPOCH + timedelta(microseconds=before[0]), before[1]))
    return list(session.scalars(query.order_by(Study.created_at.desc(), Study.id.desc()).limit(limit)))


def arms(session: Session, study_id: str) -> list[Arm]:
    """The arms of a study in their order."""
    return list(session.scalars(select(Arm).where(Arm.study_id == study_id).order_by(Arm.position)))


def add_arms(session: Write, arms: list[Arm]) -> None:
    """Store new arms."""
    session.add_all(arms)
    session.flush()


def add_runs(session: Write, rows: list[dict[str, object]]) -> None:
    """Store new runs in one statement; columns left out take their defaults."""
    session.execute(insert(Run), rows)
