"""Who may do what: the one check that every route passes through, by role and by the objects its address names.

Default deny: an operation that is not named here needs `member` to write and `viewer` to read, and an object of
another workspace is answered as if it did not exist.
"""

from collections.abc import Container, Mapping
from typing import Any

from sqlalchemy import Select, null, select
from sqlalchemy.orm import Session

from backend.shared.catalogue.builtin_data import BUILTIN
from backend.shared.errors import Forbidden, NotFound
from backend.shared.tables import AddedAdapter, Artifact, Dataset, Run, Study
from backend.shared.team_tables import ApiToken, Invitation, Membership, Share
from backend.shared.upload_tables import Upload

from .principal import Principal, Role

RANK: dict[str, int] = {"viewer": 0, "member": 1, "admin": 2}
SCOPES: dict[str, Role] = {"read": "viewer", "run": "member", "admin": "admin"}
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
PUBLIC = frozenset(
    {
        "auth_login",
        "auth_setup",
        "invitations_accept",
        "shared_get",
        "shared_comparison",
        "shared_figure",
        "shared_export",
        "shared_stream",
        "health_live",
        "health_ready",
    }
)
# Operations that need another role than their method says; a person may always sign out and keep their own tokens.
NEEDS: dict[str, Role] = {
    "auth_logout": "viewer",
    "auth_password": "viewer",
    "tokens_create": "viewer",
    "tokens_revoke": "viewer",
    "audit_list": "admin",
    "users_update": "admin",
    "invitations_create": "admin",
    "invitations_list": "admin",
    "invitations_revoke": "admin",
}
# A token cannot make further credentials: a leaked one would outlive its revocation.
SESSION_ONLY = frozenset({"auth_password", "tokens_create", "users_update", "invitations_create"})
# Path parameter → (workspace, owner) of the object it names; only its owner and admins see an object with an owner.
_NOBODY = null()
OBJECTS: dict[str, tuple[Any, Select[*tuple[Any, ...]]]] = {
    "study_id": (Study.id, select(Study.workspace_id, _NOBODY)),
    "run_id": (Run.id, select(Run.workspace_id, _NOBODY)),
    "artifact_id": (Artifact.id, select(Run.workspace_id, _NOBODY).join(Artifact, Artifact.run_id == Run.id)),
    "share_id": (Share.id, select(Share.workspace_id, _NOBODY)),
    "adapter_id": (AddedAdapter.id, select(AddedAdapter.workspace_id, _NOBODY)),
    "dataset_id": (Dataset.id, select(Dataset.workspace_id, _NOBODY)),
    "upload_id": (Upload.id, select(Upload.workspace_id, Upload.created_by)),
    "invitation_id": (Invitation.id, select(Invitation.workspace_id, _NOBODY)),
    "user_id": (Membership.user_id, select(Membership.workspace_id, _NOBODY)),
    "token_id": (
        ApiToken.id,
        select(Membership.workspace_id, ApiToken.user_id).join(ApiToken, ApiToken.user_id == Membership.user_id),
    ),
}
EVERYBODYS: Mapping[str, Container[str]] = {"dataset_id": BUILTIN}  # come with the product
NO_OBJECTS = frozenset({"name", "secret"})  # path parameters that name no stored object


def needed(operation: str, method: str) -> Role:
    """The least role for an operation."""
    return NEEDS.get(operation, "viewer" if method in SAFE else "member")


def check(session: Session, who: Principal, operation: str, method: str, path: Mapping[str, str]) -> None:
    """Let a principal do an operation on the objects that its address names.

    Raises:
        NotFound: an object is not there, or not theirs to see.
        Forbidden: they may see it, but not do this.
    """
    for parameter, value in path.items():
        if parameter not in NO_OBJECTS:
            visible(session, who, parameter, value)
    least = needed(operation, method)
    if RANK[who.role] < RANK[least]:
        through = "this token's scope" if who.how == "token" else "your role"
        raise Forbidden(f"this needs the role {least}; {through} allows no more than {who.role}")
    if operation in SESSION_ONLY and who.how == "token":
        raise Forbidden("a token cannot do this; sign in with your password")


def visible(session: Session, who: Principal, parameter: str, value: str) -> None:
    """Raises NotFound for an object that is not there, or not theirs to see."""
    if value in EVERYBODYS.get(parameter, ()):
        return
    noun = parameter.removesuffix("_id").replace("_", " ")
    if parameter in OBJECTS:
        column, query = OBJECTS[parameter]
        found = session.execute(query.where(column == value)).first()
        if (
            found is not None
            and found[0] == who.workspace_id
            and (found[1] in (None, who.user_id) or who.role == "admin")
        ):
            return
    raise NotFound(f"there is no {noun} '{value[:100]}'")
