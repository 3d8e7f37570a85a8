"""Routes of API tokens: make, list, revoke."""

from typing import Annotated

from fastapi import APIRouter, Query, Response, status

from backend.edge.context import App

from . import service, tokens
from .auth import Who
from .schemas import TokenCreate, TokenCreated, TokenList, TokenOut

router = APIRouter(prefix="/tokens", tags=["tokens"])


@router.post("", operation_id="tokens_create", status_code=status.HTTP_201_CREATED)
def create(wanted: TokenCreate, who: Who, app: App, response: Response) -> TokenCreated:
    """A token of one's own; its text is shown this once. A token cannot make tokens: sign in for it."""
    service.require_accounts(who)
    with app.database.write() as session:
        row, text = tokens.create(session, who, wanted.name, wanted.scope, wanted.expires_in_days)
        shown = TokenOut.model_validate(row).model_dump()
    response.headers["Location"] = f"/api/v1/tokens/{row.id}"
    return TokenCreated(**shown, token=text)


@router.get("", operation_id="tokens_list")
def list_tokens(
    who: Who, app: App, everybody: Annotated[bool, Query(description="All of the workspace; for admins.")] = False
) -> TokenList:
    """One's own tokens, without their secrets."""
    with app.database.read() as session:
        found = tokens.listed(session, who, everybody)
        return TokenList(items=[TokenOut.model_validate(row) for row in found])


@router.delete("/{token_id}", operation_id="tokens_revoke", status_code=status.HTTP_204_NO_CONTENT)
def revoke(token_id: str, who: Who, app: App) -> None:
    """Make a token of one's own worthless at once; an admin may do it to anybody's."""
    with app.database.write() as session:
        tokens.revoke(session, token_id)
