"""`dropscope token` and `dropscope account`; what they do is in accounts, loaded when it is asked for."""

from typing import Annotated

import typer

token = typer.Typer(help="API tokens of people on this server.", no_args_is_help=True)
account = typer.Typer(help="Accounts of this server.", no_args_is_help=True)
Email = Annotated[str, typer.Option(help="Address of the person's account.")]


@token.command("create")
def token_create(
    email: Email,
    name: Annotated[str, typer.Option(help="What it is for.")] = "made on the server",
    scope: Annotated[str, typer.Option(help="read, run or admin.")] = "run",
    days: Annotated[int, typer.Option(min=1, max=365, help="Days until it expires.")] = 90,
) -> None:
    """Make a token and print it, this once."""
    from backend.cli import accounts

    accounts.token_create(email, name, scope, days)


@token.command("list")
def token_list(email: Email) -> None:
    """List a person's tokens, without their secrets."""
    from backend.cli import accounts

    accounts.token_list(email)


@token.command("revoke")
def token_revoke(token_id: Annotated[str, typer.Argument(metavar="TOKEN_ID")]) -> None:
    """Make a token worthless at once."""
    from backend.cli import accounts

    accounts.token_revoke(token_id)


@account.command("password")
def account_password(email: Email) -> None:
    """Set a new password, read from the terminal or from standard input, and end the person's sessions."""
    from backend.cli import accounts

    accounts.account_password(email)


@account.command("link")
def account_link() -> None:
    """Print a new set-up link for the first account; older ones stop working."""
    from backend.cli import accounts

    accounts.account_link()
