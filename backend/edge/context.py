"""What a request can reach: one object, made by create_app and kept in `app.state`."""

from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Request

from backend.comparison.cache import ComparisonCache
from backend.datasets.commit import Commits
from backend.queue.doorbell import Doorbell
from backend.queue.reaper import Reaper
from backend.shared.database import Database
from backend.shared.settings import Settings
from backend.studies.watch import StudyWatch

from .throttle import Throttle


@dataclass(frozen=True)
class Context:
    """The parts of the running service."""

    settings: Settings
    database: Database
    doorbell: Doorbell
    reaper: Reaper
    watch: StudyWatch
    comparisons: ComparisonCache
    throttle: Throttle = field(default_factory=Throttle)
    commits: Commits = field(default_factory=Commits)
    senders: dict[str, object] = field(default_factory=dict)  # upload → the request that sends it now


async def _context(request: Request) -> Context:  # async: it needs no thread
    context: Context = request.app.state.context
    return context


App = Annotated[Context, Depends(_context)]
