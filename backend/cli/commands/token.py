"""`dropscope token`: API tokens, made and ended on the server's machine."""

from typing import Annotated

import typer
from rich.table import Table

from backend.cli.commands.account import Email
from backend.cli.console import out
from backend.shared.errors import InvalidInput

token = typer.Typer()


@token.command()
def create(
    email: Email,
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the server",
    scope: Annotated[str, typer.Option(help="read, run or admin.")] = "run",
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until it expires.")] = 90,
) -> None:
    """Make a token and print it, this once."""
    from backend.accounts import tokens
    from backend.cli.accounts import note, person, writing

    if scope not in ("read", "run", "admin"):
        raise InvalidInput(f"there is no scope '{scope}'; it is read, run or admin", "/scope")
    with writing() as session:
        row, text = tokens.create(session, person(session, email), name, scope, days)
        note(session, "token create", row.id, 201, email=email)
    out().print(text, markup=False)


@token.command("list")
def list_all(email: Email) -> None:
    """List a person's tokens, without their secrets."""
    from backend.accounts import tokens
    from backend.cli.accounts import person, writing

    table = Table("id", "name", "scope", "expires", "last used", "revoked")
    with writing() as session:
        for row in tokens.listed(session, person(session, email), everybody=False):
            moments = (row.expires_at, row.last_used_at, row.revoked_at)
            table.add_row(row.id, row.name, row.scope, *(f"{at:%Y-%m-%d %H:%M}" if at else "" for at in moments))
    out().print(table, markup=False)


@token.command()
def revoke(token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID")]) -> None:
    """Make a token worthless at once."""
    from backend.accounts import tokens
    from backend.cli.accounts import note, writing

    with writing() as session:
        tokens.revoke(session, token_id)
        note(session, "token revoke", token_id, 204)
