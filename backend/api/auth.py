"""Who is asking: the one dependency that every route of the app passes through."""

from dataclasses import dataclass
from typing import Annotated, Literal

from fastapi import Depends

from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE

Role = Literal["viewer", "member", "admin"]


@dataclass(frozen=True)
class Principal:
    """A person or token, in the one workspace that the request acts in."""

    user_id: str
    workspace_id: str
    role: Role


def authenticated() -> Principal:
    """The local owner: on a loopback address, behind the Host and Origin checks, everybody is the owner."""
    return Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")


Who = Annotated[Principal, Depends(authenticated)]
