"""Who is asking: the one dependency that every route of the app passes through."""

from typing import Annotated

from fastapi import Depends

from backend.services.principal import Principal
from backend.shared.tables import LOCAL_OWNER, LOCAL_WORKSPACE


def authenticated() -> Principal:
    """The local owner: on a loopback address, behind the Host and Origin checks, everybody is the owner."""
    return Principal(user_id=LOCAL_OWNER, workspace_id=LOCAL_WORKSPACE, role="admin")


Who = Annotated[Principal, Depends(authenticated)]
