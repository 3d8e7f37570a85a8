"""What a request can reach: settings, database and throttle, and by name what else `create_app` put on `app.state`."""

from dataclasses import dataclass, field
from typing import Annotated, Any

from fastapi import Depends, Request

from backend.shared.database import Database
from backend.shared.settings import Settings

from .throttle import Throttle


@dataclass(frozen=True)
class Context:
    """What every noun needs."""

    settings: Settings
    database: Database
    throttle: Throttle = field(default_factory=Throttle)


def held(name: str) -> Any:
    """A route's dependency on the part of the running service that `create_app` keeps as `app.state.<name>`.

    A noun names its own, so that this module knows none: `Bell = Annotated[Doorbell, held("doorbell")]`.
    """

    async def find(request: Request) -> Any:  # async: it needs no thread
        return getattr(request.app.state, name)

    return Depends(find)


App = Annotated[Context, held("context")]
