"""Share links: who has one sees one study, read-only, until it expires or is revoked."""

from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session, defer

from backend.accounts import credentials
from backend.accounts.principal import Principal
from backend.comparison import snapshot
from backend.comparison.cache import Load
from backend.comparison.study_records import study_records
from backend.shared.database import Write
from backend.shared.errors import Conflict, NotFound
from backend.shared.ids import new_id
from backend.shared.report_tables import Report
from backend.shared.store import studies
from backend.shared.tables import Study, now
from backend.shared.team_tables import Share

DAYS, MOST_DAYS = 7, 90
GONE = "this link shows nothing: it has expired, was taken back, or never was one"


def create(
    session: Write,
    who: Principal,
    study_id: str,
    *,
    freeze: bool,
    days: int,
    show_author: bool,
    show_report: bool = False,
    load: Load = study_records,
) -> tuple[Share, str]:
    """A share of a study of this workspace, and its secret; a frozen one stays at the present records and report.

    Raises NotFound for no such study, Conflict where its report is to be shown and nobody has written one.
    """
    study = studies.get(session, who.workspace_id, study_id)
    report = _report(session, study_id) if show_report else None
    if show_report and report is None:
        raise Conflict("nobody has written a report of this study yet; write one first, or share the study alone")
    secret = credentials.new_secret()
    row = Share(
        id=new_id("share"),
        workspace_id=who.workspace_id,
        study_id=study.id,
        secret_hash=credentials.digest(secret),
        created_by=who.user_id,
        show_author=show_author,
        show_report=show_report,
        report=report if freeze else None,
        frozen=snapshot.dump(study.spec, load(session, study)) if freeze else None,
        expires_at=now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row, secret


def shown_report(session: Session, share: Share) -> dict[str, str] | None:
    """Title and text of the report that a link shows, None where it shows none."""
    if not share.show_report:
        return None
    return share.report or _report(session, share.study_id)


def _report(session: Session, study_id: str) -> dict[str, str] | None:
    saved = session.get(Report, study_id)
    return None if saved is None else {"title": saved.title, "text": saved.text}


def listed(session: Session, workspace_id: str, study_id: str | None) -> list[tuple[Share, bool]]:
    """The shares of a workspace, or of one study of it, the newest first, and whether each is frozen.

    The frozen records themselves are not loaded.
    """
    query = select(Share, Share.frozen.is_not(None)).where(Share.workspace_id == workspace_id)
    if study_id is not None:
        query = query.where(Share.study_id == study_id)
    found = session.execute(query.options(defer(Share.frozen)).order_by(Share.id.desc()))
    return [(share, is_frozen) for share, is_frozen in found]


def revoke(session: Write, share_id: str) -> None:
    """Take a link back; done twice it changes nothing."""
    session.execute(update(Share).where(Share.id == share_id, Share.revoked_at.is_(None)).values(revoked_at=now()))


def resolve(session: Session, secret: str) -> tuple[Share, Study]:
    """What a link shows; NotFound, with one sentence for every reason."""
    if credentials.is_secret(secret):
        query = select(Share, Study).join(Study, Study.id == Share.study_id)
        found = session.execute(query.where(Share.secret_hash == credentials.digest(secret), *_open())).first()
        if found is not None:
            return found[0], found[1]
    raise NotFound(GONE)


def is_open(session: Session, share_id: str) -> bool:
    """Whether a link still works: open streams ask."""
    return session.scalar(select(Share.id).where(Share.id == share_id, *_open())) is not None


def viewed(session: Write, share_id: str) -> None:
    """Count a view."""
    session.execute(update(Share).where(Share.id == share_id).values(views=Share.views + 1, last_viewed_at=now()))


def _open() -> tuple[ColumnElement[bool], ...]:
    return Share.revoked_at.is_(None), Share.expires_at > now()
