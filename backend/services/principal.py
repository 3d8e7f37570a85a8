"""Who acts: a person or token in the one workspace that a request acts in."""

from dataclasses import dataclass
from typing import Literal

Role = Literal["viewer", "member", "admin"]


@dataclass(frozen=True)
class Principal:
    """Who is asking, in which workspace, with which rights there."""

    user_id: str
    workspace_id: str
    role: Role
