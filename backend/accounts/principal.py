"""Who acts: a person or token in the one workspace that a request acts in."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "member", "admin"]
How = Literal["local", "session", "token", "link"]


@dataclass(frozen=True)
class Principal:
    """Who is asking, in which workspace, with which rights there.

    `how` they are known: "local" without accounts, "link" for nobody in particular at a public address; `credential`
    is the id of the session or token. `role` is already narrowed by the token's scope.
    """

    user_id: str
    workspace_id: str
    role: Role
    how: How = "local"
    credential: str | None = None
