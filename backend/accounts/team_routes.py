"""Routes of the people in a workspace: list, change, invite."""

from typing import Annotated

from fastapi import APIRouter, Query, Request, Response, status

from backend.edge.answers import Page
from backend.edge.context import App
from backend.edge.paging import Cursor, Limit, encode, number_and_id
from backend.shared.team_tables import AuditEntry, User

from . import audit, service
from .auth import Who
from .principal import Principal
from .schemas import (
    AuditOut,
    InvitationCreate,
    InvitationCreated,
    InvitationList,
    InvitationOut,
    UserList,
    UserOut,
    UserPatch,
)

router = APIRouter(tags=["team"])


@router.get("/users", operation_id="users_list")
def users(who: Who, app: App) -> UserList:
    """Everybody in this workspace; only admins see addresses."""
    with app.database.read() as session:
        return UserList(items=[_user(user, role, who) for user, role in service.users(session, who.workspace_id)])


@router.patch("/users/{user_id}", operation_id="users_update")
def update(user_id: str, patch: UserPatch, who: Who, app: App, request: Request) -> UserOut:
    """Change a role, or deactivate or reactivate an account; 409 where no admin would be left."""
    with app.database.write() as session:
        before = service.standing(session, user_id)
        wanted = {"role": patch.role, "account": {True: "active", False: "deactivated", None: None}[patch.active]}
        request.state.audit = {key: value for key, value in before.items() if key == "whom"} | {
            key: f"from {before[key]} to {to}" for key, to in wanted.items() if to is not None and key in before
        }
        user, role = service.change_user(session, user_id, patch.role, patch.active)
        return _user(user, role, who)


@router.post("/invitations", operation_id="invitations_create", status_code=status.HTTP_201_CREATED)
def invite(wanted: InvitationCreate, who: Who, app: App, request: Request, response: Response) -> InvitationCreated:
    """A link that makes one account, for seven days; it is shown this once."""
    request.state.audit = {"role": wanted.role} | ({"whom": wanted.name} if wanted.name else {})
    with app.database.write() as session:
        row, secret = service.invite(session, who, wanted.role, wanted.name)
        shown = InvitationOut.model_validate(row).model_dump()
    response.headers["Location"] = f"/api/v1/invitations/{row.id}"
    return InvitationCreated(**shown, secret=secret, path=f"/invite#{secret}")


@router.get("/invitations", operation_id="invitations_list")
def invitations(who: Who, app: App) -> InvitationList:
    """Invitations that may still be used."""
    with app.database.read() as session:
        found = service.invitations(session, who.workspace_id)
        return InvitationList(items=[InvitationOut.model_validate(row) for row in found])


@router.delete(
    "/invitations/{invitation_id}", operation_id="invitations_revoke", status_code=status.HTTP_204_NO_CONTENT
)
def revoke(invitation_id: str, who: Who, app: App) -> None:
    """Take an invitation back."""
    with app.database.write() as session:
        service.revoke_invitation(session, invitation_id)


@router.get("/audit", operation_id="audit_list")
def audit_list(
    who: Who,
    app: App,
    limit: Limit = 50,
    cursor: Cursor = None,
    action: Annotated[str | None, Query(max_length=64, description="Only this operation.")] = None,
    user_id: Annotated[str | None, Query(max_length=64, description="Only what this person did.")] = None,
) -> Page[AuditOut]:
    """Who did what, the newest first; for admins."""
    before = number_and_id(cursor) if cursor else None
    with app.database.read() as session:
        found = audit.page(session, who.workspace_id, before, limit + 1, action, user_id)
    rows, more = found[:limit], len(found) > limit
    last = encode(*audit.sort_key(rows[-1][0])) if more else None
    return Page(items=[_entry(entry, name) for entry, name in rows], next_cursor=last)


def _entry(entry: AuditEntry, name: str | None) -> AuditOut:
    return AuditOut(
        id=entry.id,
        at=entry.at,
        user_id=entry.user_id,
        user_name=name,
        credential=entry.credential,
        action=entry.action,
        object_id=entry.object_id,
        outcome=entry.outcome,
        ip=entry.ip,
        detail=entry.detail,
    )


def _user(user: User, role: str, who: Principal) -> UserOut:
    return UserOut.model_validate(
        {
            "id": user.id,
            "name": user.name,
            "email": user.email if who.role == "admin" or who.user_id == user.id else None,
            "role": role,
            "active": user.deactivated_at is None,
            "created_at": user.created_at,
        }
    )
