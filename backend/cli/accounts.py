"""A team's people, on the machine of the database, without a server; each change leaves a line in the audit."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import cast

from sqlalchemy import select

from backend.accounts import audit
from backend.accounts import service as accounts
from backend.accounts.principal import Principal, Role
from backend.cli.own_database import OWNER, opened
from backend.shared.database import Write
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.team_tables import AuditEntry, Membership, User


@contextmanager
def writing() -> Iterator[Write]:
    """A session of this home's database."""
    with opened(Settings()) as database, database.write() as session:
        yield session


def person(session: Write, email: str) -> Principal:
    """Whose address this is."""
    query = select(User.id, Membership.workspace_id, Membership.role).join(Membership, Membership.user_id == User.id)
    found = session.execute(query.where(User.email == accounts.normal_email(email))).first()
    if found is None:
        raise InvalidInput(f"there is no account with the address {email}", "/email")
    return Principal(found.id, found.workspace_id, cast(Role, found.role))


def note(session: Write, action: str, object_id: str, outcome: int, **detail: str) -> None:
    """Leave a line in the audit."""
    audit.write(session, OWNER, action, object_id, outcome, "command line", detail)


def lines(session: Write, entries: Iterable[AuditEntry]) -> Iterator[str]:
    """Entries of the audit, one a line: when (UTC), who, what, outcome, from where, with what."""
    names = {user.id: user.email for user in session.scalars(select(User))}
    for entry in entries:
        who = names.get(entry.user_id or "", entry.user_id or "nobody known")
        detail = [f"{name}={value}" for name, value in entry.detail.items()]
        found = [f"{entry.at:%Y-%m-%d %H:%M:%S}", who, entry.action, entry.object_id or "-", entry.outcome, entry.ip]
        yield "  ".join(_plain(str(cell)) for cell in (*found, entry.credential or "-", *detail))


def _plain(text: str) -> str:
    """Text that cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)
