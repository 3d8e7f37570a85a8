"""Tells streams that a study has news: one look at the database a moment for all of them, however many there are."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from typing import Annotated

from anyio import to_thread
from sqlalchemy import select

from backend.edge.context import held
from backend.shared.database import Database
from backend.shared.errors import DropscopeError
from backend.shared.tables import Study

log = logging.getLogger(__name__)
LOOK_S = 0.5
_END = 1 << 62  # above every number: wakes the streams, which find nothing and end


class Watched:
    """One study that somebody follows."""

    def __init__(self) -> None:
        self.followers = 0
        self.seq = -1
        self.changed = asyncio.Condition()

    async def newer_than(self, seen: int, timeout: float) -> bool:
        """Wait until an event above `seen` exists; False where none came in time, or the service closes."""
        async with self.changed:
            try:
                # Not asyncio.wait_for: it waits in a task of its own, which a stream that is cut off leaves without
                # the lock.
                async with asyncio.timeout(timeout):
                    await self.changed.wait_for(lambda: self.seq > seen)
            except TimeoutError:
                return False
        return self.seq > seen


class StudyWatch:
    """The studies that are followed now; looks only while there are any."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._studies: dict[str, Watched] = {}
        self._task: asyncio.Task[None] | None = None
        self.closing = False

    @contextlib.asynccontextmanager
    async def watching(self, study_id: str) -> AsyncIterator[Watched]:
        """Follow one study for the length of the block."""
        study = self._studies.setdefault(study_id, Watched())
        study.followers += 1
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look_on())
        try:
            yield study
        finally:
            study.followers -= 1
            if not study.followers:
                self._studies.pop(study_id, None)

    def end_soon(self) -> None:
        """End all streams within a look's time; may be called from any thread, before the server is told to stop."""
        self.closing = True

    async def close(self) -> None:
        """End all streams now."""
        self.closing = True
        await self._end()
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    @property
    def followers(self) -> int:
        """Streams that are open now."""
        return sum(study.followers for study in self._studies.values())

    async def _look_on(self) -> None:
        while self._studies and not self.closing:
            try:
                found = await to_thread.run_sync(self._look, list(self._studies))
            except DropscopeError as error:  # the database is away: streams stay open and go on when it is back
                log.warning("streams wait: %s", error)
                found = {}
            for study_id, seq in found.items():
                study = self._studies.get(study_id)
                if study is not None and seq > study.seq:
                    await self._tell(study, seq)
            await asyncio.sleep(LOOK_S)
        if self.closing:
            await self._end()

    async def _end(self) -> None:
        for study in list(self._studies.values()):
            await self._tell(study, _END)

    async def _tell(self, study: Watched, seq: int) -> None:
        async with study.changed:
            study.seq = seq
            study.changed.notify_all()

    def _look(self, ids: list[str]) -> dict[str, int]:
        with self._database.read() as session:
            rows = session.execute(select(Study.id, Study.event_seq).where(Study.id.in_(ids)))
            return {row.id: row.event_seq for row in rows}


Watch = Annotated[StudyWatch, held("watch")]
