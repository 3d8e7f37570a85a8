"""People: set up the first account, invite, accept, sign in, change a role, deactivate."""

import re
from collections.abc import Collection
from datetime import timedelta

from sqlalchemy import ColumnElement, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from backend.shared.database import Database, Write
from backend.shared.errors import Conflict, InvalidInput, NotFound, Unauthorized
from backend.shared.ids import new_id
from backend.shared.tables import LOCAL_WORKSPACE, now
from backend.shared.team_tables import Invitation, Membership, Share, User

from . import credentials, passwords, sessions
from .principal import Principal, Role

SETUP_LASTS = timedelta(hours=24)
INVITATION_LASTS = timedelta(days=7)
_EMAIL = re.compile(r"[^@\s<>\"']{1,64}@[^@\s<>\"']{1,185}")
_GONE = "this link does not work: it was used, has expired, or was taken back; ask for a new one"


def has_accounts(session: Session) -> bool:
    """Whether anybody can sign in."""
    return session.scalar(select(User.id).where(User.deactivated_at.is_(None)).limit(1)) is not None


def setup_secret(database: Database) -> str | None:
    """A new one-time secret for the first account, which becomes the admin; None where there are accounts.

    Earlier ones stop working: only the newest link that was printed does.
    """
    with database.write() as session:
        if has_accounts(session):
            return None
        unused = update(Invitation).where(Invitation.created_by.is_(None), Invitation.used_at.is_(None))
        session.execute(unused.values(revoked_at=now()))
        return _invite(session, LOCAL_WORKSPACE, "admin", None, SETUP_LASTS)[1]


def invite(session: Write, who: Principal, role: Role, name: str | None = None) -> tuple[Invitation, str]:
    """An invitation to the workspace, and its secret; name: whom it is for."""
    require_accounts(who)
    row, secret = _invite(session, who.workspace_id, role, who.user_id, INVITATION_LASTS)
    row.name = name.strip() or None if name else None
    return row, secret


def invitations(session: Session, workspace_id: str) -> list[Invitation]:
    """The invitations of a workspace that may still be used, the newest first."""
    query = select(Invitation).where(Invitation.workspace_id == workspace_id, *_usable())
    return list(session.scalars(query.where(Invitation.created_by.is_not(None)).order_by(Invitation.id.desc())))


def revoke_invitation(session: Write, invitation_id: str) -> None:
    """Take an invitation back; done twice it changes nothing."""
    found = update(Invitation).where(Invitation.id == invitation_id, Invitation.revoked_at.is_(None))
    session.execute(found.values(revoked_at=now()))


def accept(database: Database, secret: str, email: str, name: str, password: str, *, first: bool) -> str:
    """Make the account that a link invites to; return its id. `first`: the set-up link, else an invitation.

    Raises Unauthorized for a link that does not work, InvalidInput and Conflict for what was typed.
    """
    with database.read() as session:
        _find(session, secret, first)
    email = normal_email(email)
    passwords.check(password, email)
    if not name.strip():
        raise InvalidInput("give a name that the others see", "/name")
    stored = passwords.hashed(password)
    user = User(id=new_id("user"), email=email, name=name.strip(), password_hash=stored)
    try:
        with database.write() as session:
            invitation = _find(session, secret, first)
            if first and has_accounts(session):
                raise Unauthorized(_GONE)
            session.add(user)
            session.flush()
            session.add(Membership(user_id=user.id, workspace_id=invitation.workspace_id, role=invitation.role))
            invitation.used_at, invitation.used_by = now(), user.id
    except IntegrityError as error:
        raise Conflict("there is an account with this address; sign in with it") from error
    return user.id


def login(database: Database, email: str, password: str) -> str:
    """The id of whoever has this address and password; Unauthorized, without saying which of them is wrong."""
    with database.read() as session:
        user = session.scalar(select(User).where(User.email == email.strip().lower(), User.deactivated_at.is_(None)))
    if not passwords.verify(password, user.password_hash if user else None) or user is None:
        raise Unauthorized("address or password is wrong")
    if passwords.is_outdated(user.password_hash):
        _store(database, user.id, passwords.hashed(password))
    return user.id


def change_password(database: Database, who: Principal, old: str, new: str) -> None:
    """Change one's own password, sign out everywhere else, and revoke one's tokens."""
    with database.read() as session:
        user = session.get(User, who.user_id)
    if user is None or not passwords.verify(old, user.password_hash):
        raise InvalidInput("this is not your present password", "/old")
    passwords.check(new, user.email)
    _store(database, user.id, passwords.hashed(new))
    with database.write() as session:
        sessions.end_all(session, user.id, but=who.credential)


def users(session: Session, workspace_id: str) -> list[tuple[User, str]]:
    """Everybody in a workspace with their role, the oldest account first."""
    query = select(User, Membership.role).join(Membership).where(Membership.workspace_id == workspace_id)
    return [(user, role) for user, role in session.execute(query.order_by(User.id))]


def names(session: Session, user_ids: Collection[str]) -> dict[str, str]:
    """Names of these people by id, in one query; who has no account here is left out."""
    found = session.execute(select(User.id, User.name).where(User.id.in_(user_ids)))
    return {row.id: row.name for row in found}


def standing(session: Session, user_id: str) -> dict[str, str]:
    """Name, role and state of an account, as the audit log tells them; empty where there is none."""
    user, membership = session.get(User, user_id), session.get(Membership, user_id)
    if user is None or membership is None:
        return {}
    state = "active" if user.deactivated_at is None else "deactivated"
    return {"whom": user.name, "role": membership.role, "account": state}


def change_user(session: Write, user_id: str, role: Role | None, active: bool | None) -> tuple[User, str]:
    """Give a person another role, or shut or open their account; Conflict where no admin would be left.

    With the right to invite go the invitations that are still open, with the account its share links, too.
    """
    user, membership = session.get(User, user_id), session.get(Membership, user_id)
    if user is None or membership is None:
        raise NotFound(f"there is no user '{user_id[:100]}'")
    if role is not None:
        membership.role = role
    if active is not None and active == (user.deactivated_at is not None):
        user.deactivated_at = None if active else now()
        sessions.end_all(session, user_id)
    if membership.role != "admin" or active is False:
        _take_back(session, Invitation, user_id, Invitation.used_at.is_(None))
    if active is False:
        _take_back(session, Share, user_id)
    session.flush()
    admins = select(func.count()).select_from(Membership).join(User).where(User.deactivated_at.is_(None))
    if not session.scalar(admins.where(Membership.workspace_id == membership.workspace_id, Membership.role == "admin")):
        raise Conflict("this is the last admin; make somebody else an admin first")
    return user, membership.role


def normal_email(email: str) -> str:
    """An address as it is stored; raises InvalidInput for what cannot be one."""
    if _EMAIL.fullmatch(email.strip()) is None:
        raise InvalidInput("this is not an e-mail address", "/email")
    return email.strip().lower()


def require_accounts(who: Principal) -> None:
    """Refuse what needs accounts on a server without them."""
    if who.how == "local":
        raise Conflict(
            "this server has no accounts: everybody on this machine is its owner; start it with DROPSCOPE_AUTH=on"
        )


def _take_back(
    session: Write, what: type[Invitation] | type[Share], user_id: str, *further: ColumnElement[bool]
) -> None:
    mine = update(what).where(what.created_by == user_id, what.revoked_at.is_(None), *further)
    session.execute(mine.values(revoked_at=now()))


def _invite(
    session: Write, workspace_id: str, role: Role, created_by: str | None, lasts: timedelta
) -> tuple[Invitation, str]:
    secret = credentials.new_secret()
    row = Invitation(
        id=new_id("invitation"),
        workspace_id=workspace_id,
        role=role,
        secret_hash=credentials.digest(secret),
        created_by=created_by,
        expires_at=now() + lasts,
    )
    session.add(row)
    session.flush()
    return row, secret


def _find(session: Session, secret: str, first: bool) -> Invitation:
    query = select(Invitation).where(Invitation.secret_hash == credentials.digest(secret), *_usable())
    found = session.scalar(query.with_for_update())
    if found is None or (found.created_by is None) != first:
        raise Unauthorized(_GONE)
    return found


def _usable() -> tuple[ColumnElement[bool], ...]:
    return Invitation.used_at.is_(None), Invitation.revoked_at.is_(None), Invitation.expires_at > now()


def _store(database: Database, user_id: str, password_hash: str) -> None:
    with database.write() as session:
        session.execute(update(User).where(User.id == user_id).values(password_hash=password_hash))
