"""`dropscope account`: what is done to accounts on the server's machine."""

import sys
from typing import Annotated

import typer

from backend.cli.console import err, out
from backend.shared.errors import InvalidInput
from backend.shared.settings import Settings

account = typer.Typer()
Email = Annotated[str, typer.Option(help="Address of the person's account.")]


@account.command()
def password(email: Email) -> None:
    """Set a new password, read from the terminal or from standard input, and end the person's sessions."""
    from backend.accounts import passwords, sessions
    from backend.cli.accounts import note, person, writing
    from backend.shared.team_tables import User

    asks = sys.stdin.isatty()
    new = typer.prompt("New password", hide_input=True, err=True) if asks else sys.stdin.readline().strip()
    passwords.check(new, email)
    stored = passwords.hashed(new)
    with writing() as session:
        who = person(session, email).user_id
        session.get_one(User, who).password_hash = stored
        sessions.end_all(session, who)
        note(session, "account password", who, 204, email=email)
    err().print("The password is set; every session of this person has ended.")


@account.command()
def link() -> None:
    """Print a new set-up link for the first account; older ones stop working."""
    from backend.accounts.service import setup_secret
    from backend.cli.own_database import opened

    with opened(Settings()) as database:
        secret = setup_secret(database)
    if secret is None:
        raise InvalidInput("there are accounts already; an admin invites people on the page")
    out().print(f"/setup#{secret}", markup=False)
