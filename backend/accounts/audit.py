"""What was done by whom: written after each request that changes something or carries results away; never changed."""

from datetime import timedelta
from typing import Any

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.ids import new_id
from backend.shared.tables import EPOCH, LOCAL_WORKSPACE
from backend.shared.team_tables import AuditEntry, User

from .principal import Principal

READS = frozenset({"artifacts_download", "datasets_refused", "studies_export"})  # reading operations that are kept, too
# These change nothing that is kept, and are asked again and again: at each key, for each piece of a file.
SILENT = frozenset({"studies_preview", "uploads_preview", "uploads_content"})


def write(
    session: Write,
    who: Principal | None,
    action: str,
    object_id: str | None,
    outcome: int,
    ip: str,
    detail: dict[str, Any],
) -> None:
    """Add one entry; `who` is None where nobody was known."""
    session.add(
        AuditEntry(
            id=new_id("audit"),
            workspace_id=who.workspace_id if who else LOCAL_WORKSPACE,
            user_id=who.user_id if who and who.how != "link" else None,
            credential=who.credential if who else None,
            action=action,
            object_id=object_id[:64] if object_id else None,
            outcome=outcome,
            ip=ip[:64],
            detail=detail,
        )
    )


def page(
    session: Session,
    workspace_id: str,
    before: tuple[int, str] | None,
    limit: int,
    action: str | None = None,
    user_id: str | None = None,
) -> list[tuple[AuditEntry, str | None]]:
    """Entries of a workspace with the names of those who acted, the newest first, behind a `sort_key`."""
    query = select(AuditEntry, User.name).outerjoin(User, User.id == AuditEntry.user_id)
    query = query.where(AuditEntry.workspace_id == workspace_id)
    if action is not None:
        query = query.where(AuditEntry.action == action)
    if user_id is not None:
        query = query.where(AuditEntry.user_id == user_id)
    if before is not None:
        at = EPOCH + timedelta(microseconds=before[0])
        query = query.where(or_(AuditEntry.at < at, and_(AuditEntry.at == at, AuditEntry.id < before[1])))
    found = session.execute(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit))
    return [(entry, name) for entry, name in found]


def sort_key(entry: AuditEntry) -> tuple[int, str]:
    """What the log is ordered by: microseconds since 1970, then the id."""
    return (entry.at - EPOCH) // timedelta(microseconds=1), entry.id


def newest(session: Session, limit: int, action: str | None = None, user_id: str | None = None) -> list[AuditEntry]:
    """The newest entries, the newest first."""
    query = select(AuditEntry)
    if action is not None:
        query = query.where(AuditEntry.action == action)
    if user_id is not None:
        query = query.where(AuditEntry.user_id == user_id)
    return list(session.scalars(query.order_by(AuditEntry.at.desc(), AuditEntry.id.desc()).limit(limit)))
