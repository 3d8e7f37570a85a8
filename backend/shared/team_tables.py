"""The tables of a team: people, their sessions and tokens, invitations, share links, and what was done by whom.

Secrets are kept as SHA-256 only (passwords as argon2id); `expires_at` is the moment from which a thing no longer works.
"""

from datetime import datetime
from typing import Any

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from backend.shared.tables import Table, now

ROLES = "role IN ('viewer','member','admin')"


class User(Table):
    """A person with an account; a deactivated one can do nothing, and stays as the author of what they made."""

    __tablename__ = "users"
    id: Mapped[str] = mapped_column(primary_key=True)
    email: Mapped[str] = mapped_column(String(254), unique=True)  # in lower case
    name: Mapped[str] = mapped_column(String(100))
    password_hash: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(default=now)
    deactivated_at: Mapped[datetime | None]


class Membership(Table):
    """A person's role in a workspace; a person is in one."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint(ROLES, name="role"),)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    role: Mapped[str] = mapped_column(String(16))


class BrowserSession(Table):
    """A browser that signed in; `expires_at` moves on while it is used."""

    __tablename__ = "sessions"
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_used_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ApiToken(Table):
    """A token of a script; its scope can only narrow what its person may do."""

    __tablename__ = "api_tokens"
    __table_args__ = (CheckConstraint("scope IN ('read','run','admin')", name="scope"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id", ondelete="CASCADE"), index=True)
    name: Mapped[str] = mapped_column(String(100))
    scope: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64))
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    last_used_at: Mapped[datetime | None]
    revoked_at: Mapped[datetime | None]


class Invitation(Table):
    """A link that makes one account; the set-up link is one, too (`created_by` is null)."""

    __tablename__ = "invitations"
    __table_args__ = (CheckConstraint(ROLES, name="role"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    name: Mapped[str | None] = mapped_column(String(100))  # whom it is for, in the words of who invites
    role: Mapped[str] = mapped_column(String(16))
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    used_at: Mapped[datetime | None]
    used_by: Mapped[str | None]
    revoked_at: Mapped[datetime | None]


class Share(Table):
    """A link that shows one study to whoever has it; a frozen one keeps the records it was made from."""

    __tablename__ = "shares"
    id: Mapped[str] = mapped_column(primary_key=True)
    workspace_id: Mapped[str] = mapped_column(ForeignKey("workspaces.id"), index=True)
    study_id: Mapped[str] = mapped_column(ForeignKey("studies.id", ondelete="CASCADE"), index=True)
    secret_hash: Mapped[str] = mapped_column(String(64), unique=True)
    created_by: Mapped[str]
    show_author: Mapped[bool] = mapped_column(default=False)
    show_report: Mapped[bool] = mapped_column(default=False)
    report: Mapped[dict[str, Any] | None]  # title and text of a frozen link; null: as they stand
    frozen: Mapped[bytes | None] = mapped_column(LargeBinary)  # compressed JSON of the records; null: live
    created_at: Mapped[datetime] = mapped_column(default=now)
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    views: Mapped[int] = mapped_column(default=0)
    last_viewed_at: Mapped[datetime | None]


class AuditEntry(Table):
    """One thing that somebody did or tried; triggers refuse to change or delete a row."""

    __tablename__ = "audit_log"
    __table_args__ = (Index("ix_audit_log_workspace_id_at", "workspace_id", "at"),)
    id: Mapped[str] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)
    workspace_id: Mapped[str]
    user_id: Mapped[str | None]  # null: not known
    credential: Mapped[str | None]  # id of the token or session; null: none was used
    action: Mapped[str] = mapped_column(String(64))  # the route's operation id, or the command's name
    object_id: Mapped[str | None] = mapped_column(String(64))
    outcome: Mapped[int]  # HTTP status
    ip: Mapped[str] = mapped_column(String(64))
    detail: Mapped[dict[str, Any]] = mapped_column(default=dict)
