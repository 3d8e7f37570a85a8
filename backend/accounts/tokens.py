"""API tokens: made once, shown once, listed without their secret, revoked at once.

What a token made for others to use goes with it: whoever had a leaked one could have made a link that outlives it.
"""

from datetime import timedelta

from sqlalchemy import ColumnElement, select, update
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.errors import Forbidden
from backend.shared.tables import now
from backend.shared.team_tables import ApiToken, AuditEntry, Membership, Share

from . import credentials, permissions
from .principal import Principal

MOST_DAYS = 365


def create(session: Write, who: Principal, name: str, scope: str, days: int) -> tuple[ApiToken, str]:
    """A token of this person and its text; Forbidden for a scope above their role."""
    if permissions.RANK[permissions.SCOPES[scope]] > permissions.RANK[who.role]:
        raise Forbidden(f"your role, {who.role}, cannot make a token with the scope '{scope}'")
    token_id, text = credentials.new_token()
    row = ApiToken(
        id=token_id,
        user_id=who.user_id,
        name=name,
        scope=scope,
        secret_hash=credentials.digest(text),
        expires_at=now() + timedelta(days=days),
    )
    session.add(row)
    session.flush()
    return row, text


def listed(session: Session, who: Principal, everybody: bool) -> list[ApiToken]:
    """One's own tokens, the newest first; an admin may see everybody's."""
    query = select(ApiToken).join(Membership, Membership.user_id == ApiToken.user_id)
    query = query.where(Membership.workspace_id == who.workspace_id)
    if not (everybody and who.role == "admin"):
        query = query.where(ApiToken.user_id == who.user_id)
    return list(session.scalars(query.order_by(ApiToken.id.desc())))


def revoke(session: Write, token_id: str) -> None:
    """Make a token worthless, and the share links that it made; done twice it changes nothing."""
    _revoke(session, ApiToken.id == token_id)


def revoke_all(session: Write, user_id: str) -> None:
    """Do so with every token of a person."""
    _revoke(session, ApiToken.user_id == user_id)


def _revoke(session: Write, which: ColumnElement[bool]) -> None:
    """A link's row does not say which token made it; the audit log does.

    Where that lacks a link of this person (the database was locked when it should have been written), the token may
    have made it: it goes, too.
    """
    at = now()
    made = select(AuditEntry.object_id).where(AuditEntry.action == "shares_create", AuditEntry.object_id.is_not(None))
    by_token = AuditEntry.credential.in_(select(ApiToken.id).where(which))
    of_person = Share.created_by.in_(select(ApiToken.user_id).where(which))
    suspect = Share.id.in_(made.where(by_token)) | (of_person & Share.id.not_in(made))
    gone = update(Share).where(Share.revoked_at.is_(None), suspect).values(revoked_at=at)
    session.execute(gone.execution_options(synchronize_session=False))
    session.execute(update(ApiToken).where(which, ApiToken.revoked_at.is_(None)).values(revoked_at=at))
