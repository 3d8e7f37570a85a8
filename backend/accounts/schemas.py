"""People, invitations, tokens and share links as the API takes and answers them."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from backend.edge.answers import JsonObject, Out
from backend.shared.specs import Frozen

from .principal import Role
from .tokens import MOST_DAYS as TOKEN_MOST_DAYS

Scope = Literal["read", "run", "admin"]
Secret = Field(min_length=1, max_length=200, description="What follows # in the link.")
Email = Field(min_length=3, max_length=254)
Password = Field(min_length=1, max_length=1000)
Name = Field(min_length=1, max_length=100)


class Me(Out):
    """Who is asking, and with which rights."""

    user_id: str
    workspace_id: str
    role: Role = Field(description="Narrowed by the scope where a token was sent.")
    how: Literal["local", "session", "token"] = Field(description="'local': this server has no accounts.")
    auth: bool = Field(description="Whether this server has accounts.")
    name: str
    email: str | None


class Login(Frozen):
    """Address and password."""

    email: str = Email
    password: str = Password


class NewAccount(Frozen):
    """The first account, by the set-up link, or one by an invitation."""

    secret: str = Secret
    email: str = Email
    name: str = Name
    password: str = Password


class PasswordChange(Frozen):
    """A new password for oneself."""

    old: str = Password
    new: str = Password


class UserOut(Out):
    """A person in this workspace; addresses are for admins."""

    id: str
    name: str
    email: str | None
    role: Role
    active: bool
    created_at: datetime


class UserList(Out):
    """Everybody in this workspace."""

    items: list[UserOut]


class UserPatch(Frozen):
    """What to change; keys left out stay as they are."""

    role: Role | None = None
    active: bool | None = Field(None, description="False shuts the account and ends its sessions and tokens.")


class InvitationCreate(Frozen):
    """Whom to invite."""

    role: Role = "member"
    name: str | None = Field(None, max_length=100, description="Whom it is for: shown beside the open invitation.")


class InvitationOut(Out):
    """A link that makes one account."""

    id: str
    role: Role
    name: str | None
    created_by: str
    created_at: datetime
    expires_at: datetime


class InvitationCreated(InvitationOut):
    """An invitation with its secret, which is shown this once."""

    secret: str
    path: str = Field(description="Address on this server to send to the person.", examples=["/invite#8fA…"])


class InvitationList(Out):
    """Invitations that may still be used."""

    items: list[InvitationOut]


class AuditOut(Out):
    """One thing that somebody did or tried."""

    id: str
    at: datetime
    user_id: str | None = Field(description="null: nobody known.")
    user_name: str | None
    credential: str | None = Field(description="Id of the session or token.")
    action: str = Field(description="Id of the operation.", examples=["studies_create"])
    object_id: str | None
    outcome: int = Field(description="Status of the answer.")
    ip: str
    detail: JsonObject


class TokenCreate(Frozen):
    """A token for a script."""

    name: str = Name
    scope: Scope = Field("run", description="read: look. run: queue and change studies. admin: all that you may.")
    expires_in_days: int = Field(90, ge=1, le=TOKEN_MOST_DAYS)


class TokenOut(Out):
    """A token without its secret."""

    id: str
    user_id: str
    name: str
    scope: Scope
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None
    revoked_at: datetime | None


class TokenCreated(TokenOut):
    """A token with its text, which is shown this once."""

    token: str


class TokenList(Out):
    """Tokens, the newest first."""

    items: list[TokenOut]
