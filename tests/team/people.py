"""A server with accounts, and people of every role with sessions and tokens of theirs."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from fastapi import FastAPI
from fastapi.testclient import TestClient

from backend.accounts import sessions, tokens
from backend.accounts.auth import COOKIE
from backend.accounts.principal import Principal, Role
from backend.main import create_app
from backend.shared.database import Database
from backend.shared.ids import new_id
from backend.shared.settings import Settings
from backend.shared.tables import LOCAL_WORKSPACE, Workspace, now
from backend.shared.team_tables import ApiToken, Membership, User

API = "/api/v1"
URL = "http://127.0.0.1"
PASSWORD = "four plain words here"


@dataclass(frozen=True)
class Person:
    """Somebody with an account, and the headers of their browser."""

    id: str
    role: Role
    workspace_id: str
    headers: dict[str, str]

    @property
    def principal(self) -> Principal:
        """As the services know them."""
        return Principal(self.id, self.workspace_id, self.role, "session")


@dataclass(frozen=True)
class Team:
    """The service with accounts; `client` belongs to nobody."""

    app: FastAPI
    client: TestClient
    settings: Settings

    @property
    def database(self) -> Database:
        """The service's own."""
        database: Database = self.app.state.context.database
        return database

    def person(self, role: Role, workspace_id: str = LOCAL_WORKSPACE) -> Person:
        """An account that is signed in; its password is not set, which would take argon2's time."""
        user_id = new_id("user")
        with self.database.write() as session:
            if session.get(Workspace, workspace_id) is None:
                session.add(Workspace(id=workspace_id, name=workspace_id))
            session.add(User(id=user_id, email=f"{user_id}@example.org", name=f"A {role}", password_hash="none"))
            session.flush()
            session.add(Membership(user_id=user_id, workspace_id=workspace_id, role=role))
            _, secret = sessions.start(session, user_id)
        return Person(user_id, role, workspace_id, {"Cookie": f"{COOKIE}={secret}", "Origin": URL})

    def token(self, person: Person, scope: str | None = None, **changes: Any) -> str:
        """The text of a new token of somebody, of the widest scope unless given; `changes` to its row."""
        widest = {"viewer": "read", "member": "run", "admin": "admin"}[person.role]
        with self.database.write() as session:
            row, text = tokens.create(session, person.principal, "a script", scope or widest, 30)
            for name, value in changes.items():
                setattr(row, name, value)
        return text

    def change_token(self, text: str, **changes: Any) -> None:
        """Change the row of a token."""
        with self.database.write() as session:
            row = session.get(ApiToken, f"token_{text[3:21]}")
            assert row is not None
            for name, value in changes.items():
                setattr(row, name, value)


def bearer(token: str) -> dict[str, str]:
    """The header of a script."""
    return {"Authorization": f"Bearer {token}"}


def past() -> Any:
    """A moment ago."""
    return now() - timedelta(seconds=1)


@contextmanager
def serving(settings: Settings) -> Iterator[Team]:
    """The service with accounts on; no broker answers."""
    with_accounts = settings.model_copy(update={"auth": True})
    app = create_app(with_accounts)
    try:
        yield Team(app, TestClient(app, base_url=URL, raise_server_exceptions=False), with_accounts)
    finally:
        app.state.doorbell.close()
        app.state.context.database.close()
