"""Who is behind a cookie or a token, and whether they still are; sessions slide, tokens do not."""

from datetime import timedelta
from typing import Any, cast

from sqlalchemy import Select, select, update
from sqlalchemy.orm import Session

from backend.shared.database import Write
from backend.shared.ids import new_id
from backend.shared.tables import now
from backend.shared.team_tables import ApiToken, BrowserSession, Membership, User

from . import credentials, permissions, tokens
from .principal import Principal, Role

IDLE = timedelta(days=14)
LONGEST = timedelta(days=90)
TOUCHED_EVERY = timedelta(minutes=1)


def start(session: Write, user_id: str) -> tuple[BrowserSession, str]:
    """A new browser session and its secret."""
    secret, at = credentials.new_secret(), now()
    row = BrowserSession(
        id=new_id("session"), user_id=user_id, secret_hash=credentials.digest(secret), expires_at=at + IDLE
    )
    session.add(row)
    session.flush()
    return row, secret


def by_session(session: Session, secret: str) -> Principal | None:
    """Who signed in with this cookie; None where it is unknown, ended or too old, or the person has gone."""
    if not credentials.is_secret(secret):
        return None
    query = _sessions().where(BrowserSession.secret_hash == credentials.digest(secret))
    return _person(session.execute(query).first(), "session")


def by_token(session: Session, text: str) -> Principal | None:
    """Whose token this is, with the rights its scope leaves; None where it does not work (any more)."""
    token_id = credentials.token_id(text)
    if token_id is None:
        return None
    found = session.execute(_tokens().where(ApiToken.id == token_id)).first()
    if found is None or not credentials.matches(text, found.secret_hash):
        return None
    return _person(found, "token")


def still_valid(session: Session, who: Principal) -> bool:
    """Whether what a request came with would be let in now, with a role no smaller: streams and uploads ask."""
    if who.how == "session":
        found = _person(session.execute(_sessions().where(BrowserSession.id == who.credential)).first(), "session")
    elif who.how == "token":
        found = _person(session.execute(_tokens().where(ApiToken.id == who.credential)).first(), "token")
    else:
        return True
    if found is None or found.workspace_id != who.workspace_id:
        return False
    return permissions.RANK[found.role] >= permissions.RANK[who.role]


def is_due(session: Session, who: Principal) -> bool:
    """Whether the moment of last use is old enough to be written again."""
    if who.how == "session":
        used = session.scalar(select(BrowserSession.last_used_at).where(BrowserSession.id == who.credential))
    elif who.how == "token":
        used = session.scalar(select(ApiToken.last_used_at).where(ApiToken.id == who.credential))
    else:
        return False
    return used is None or now() - used > TOUCHED_EVERY


def touch(session: Write, who: Principal) -> None:
    """Write down that a credential was used now; a browser session lives on for another two weeks, 90 days in all."""
    at = now()
    if who.how == "token":
        session.execute(update(ApiToken).where(ApiToken.id == who.credential).values(last_used_at=at))
    elif who.how == "session":
        row = session.get(BrowserSession, who.credential)
        if row is not None:
            row.last_used_at, row.expires_at = at, min(at + IDLE, row.created_at + LONGEST)


def end(session: Write, who: Principal) -> None:
    """Sign a browser session out."""
    if who.how == "session":
        session.execute(update(BrowserSession).where(BrowserSession.id == who.credential).values(ended_at=now()))


def end_all(session: Write, user_id: str, but: str | None = None) -> None:
    """Sign a person out everywhere, but for one session: whoever knew the password may have made tokens with it."""
    query = update(BrowserSession).where(BrowserSession.user_id == user_id, BrowserSession.ended_at.is_(None))
    session.execute(query.where(BrowserSession.id != (but or "")).values(ended_at=now()))
    tokens.revoke_all(session, user_id)


def _sessions() -> Select[str, str, str, str]:
    columns = (BrowserSession.id, BrowserSession.user_id, Membership.workspace_id, Membership.role)
    return (
        select(*columns)
        .join(User, User.id == BrowserSession.user_id)
        .join(Membership, Membership.user_id == User.id)
        .where(BrowserSession.ended_at.is_(None), BrowserSession.expires_at > now(), User.deactivated_at.is_(None))
    )


def _tokens() -> Select[str, str, str, str, str, str]:
    columns = (ApiToken.id, ApiToken.user_id, ApiToken.secret_hash, ApiToken.scope)
    return (
        select(*columns, Membership.workspace_id, Membership.role)
        .join(User, User.id == ApiToken.user_id)
        .join(Membership, Membership.user_id == User.id)
        .where(ApiToken.revoked_at.is_(None), ApiToken.expires_at > now(), User.deactivated_at.is_(None))
    )


def _person(found: Any, how: str) -> Principal | None:
    if found is None:
        return None
    roles: list[Role] = [cast(Role, found.role)]
    if how == "token":
        roles.append(permissions.SCOPES[found.scope])
        return Principal(
            found.user_id, found.workspace_id, min(roles, key=permissions.RANK.__getitem__), "token", found.id
        )
    return Principal(found.user_id, found.workspace_id, roles[0], "session", found.id)
