"""What the team's commands do, on the machine of the database, without a server; each leaves a line in the audit."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import cast

import typer
from rich.table import Table
from sqlalchemy import select

from backend.accounts import audit, passwords, sessions, tokens
from backend.accounts import service as accounts
from backend.accounts.principal import Principal, Role
from backend.cli.console import err, out
from backend.embedded import home
from backend.migrations.runner import migrate
from backend.shared.database import Database, Write, open_database
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE
from backend.shared.team_tables import AuditEntry, Membership, User

OWNER = Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")


def token_create(email: str, name: str, scope: str, days: int) -> None:
    """Make a token and print it, this once."""
    if scope not in ("read", "run", "admin"):
        raise InvalidInput(f"there is no scope '{scope}'; it is read, run or admin", "/scope")
    with _database() as database, database.write() as session:
        row, text = tokens.create(session, _person(session, email), name, scope, days)
        audit.write(session, OWNER, "token create", row.id, 201, "command line", {"email": email})
    out().print(text, markup=False)


def token_list(email: str) -> None:
    """List a person's tokens, without their secrets."""
    table = Table("id", "name", "scope", "expires", "last used", "revoked")
    with _database() as database, database.write() as session:
        for row in tokens.listed(session, _person(session, email), everybody=False):
            moments = (row.expires_at, row.last_used_at, row.revoked_at)
            table.add_row(row.id, row.name, row.scope, *(f"{at:%Y-%m-%d %H:%M}" if at else "" for at in moments))
    out().print(table, markup=False)


def token_revoke(token_id: str) -> None:
    """Make a token worthless at once."""
    with _database() as database, database.write() as session:
        tokens.revoke(session, token_id)
        audit.write(session, OWNER, "token revoke", token_id, 204, "command line", {})


def account_password(email: str) -> None:
    """Set a password read from the terminal or standard input, and end the person's sessions."""
    asks = sys.stdin.isatty()
    new = typer.prompt("New password", hide_input=True, err=True) if asks else sys.stdin.readline().strip()
    passwords.check(new, email)
    stored = passwords.hashed(new)
    with _database() as database, database.write() as session:
        person = _person(session, email)
        session.get_one(User, person.user_id).password_hash = stored
        sessions.end_all(session, person.user_id)
        audit.write(session, OWNER, "account password", person.user_id, 204, "command line", {"email": email})
    err().print("The password is set; every session of this person has ended.")


def account_link() -> None:
    """Print a new set-up link for the first account; older ones stop working."""
    with _database() as database:
        secret = accounts.setup_secret(database)
    if secret is None:
        raise InvalidInput("there are accounts already; an admin invites people on the page")
    out().print(f"/setup#{secret}", markup=False)


def audit_list(limit: int, action: str | None, email: str | None) -> None:
    """Print the newest entries of the audit log, one a line: when (UTC), who, what, outcome, from where, with what."""
    with _database() as database, database.write() as session:
        user_id = _person(session, email).user_id if email else None
        names = {user.id: user.email for user in session.scalars(select(User))}
        for entry in audit.newest(session, limit, action, user_id):
            out().print("  ".join(_cells(entry, names)), markup=False, soft_wrap=True)


def _cells(entry: AuditEntry, names: dict[str, str]) -> list[str]:
    who = names.get(entry.user_id or "", entry.user_id or "nobody known")
    detail = [f"{name}={value}" for name, value in entry.detail.items()]
    found = [f"{entry.at:%Y-%m-%d %H:%M:%S}", who, entry.action, entry.object_id or "-", entry.outcome, entry.ip]
    return [_plain(str(cell)) for cell in (*found, entry.credential or "-", *detail)]


def _plain(text: str) -> str:
    """Text that cannot steer a terminal."""
    return "".join(letter if letter.isprintable() else "�" for letter in text)


def _person(session: Write, email: str) -> Principal:
    query = select(User.id, Membership.workspace_id, Membership.role).join(Membership, Membership.user_id == User.id)
    found = session.execute(query.where(User.email == accounts.normal_email(email))).first()
    if found is None:
        raise InvalidInput(f"there is no account with the address {email}", "/email")
    return Principal(found.id, found.workspace_id, cast(Role, found.role))


@contextmanager
def _database() -> Iterator[Database]:
    settings = Settings()
    home.prepare(settings)
    migrate(settings)
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()
