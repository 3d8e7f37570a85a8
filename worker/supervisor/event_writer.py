"""What a pack's trainer has said, and its fenced way into the database: batches, endings, and who is still open."""

import logging
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from backend.shared import disk
from backend.shared.database import Database, Write
from backend.shared.errors import Unavailable
from backend.shared.run_status import AttemptEnd, FailureCode
from backend.shared.settings import Settings
from backend.shared.store import endings, records
from backend.shared.store.queue import Pack
from backend.shared.trainer_protocol import (
    Artifact,
    Cancelled,
    Checkpoint,
    Drained,
    Evaluation,
    Event,
    Failed,
    Finished,
    Log,
    RunMessage,
    Started,
    Steps,
)
from worker.supervisor import storage

log = logging.getLogger(__name__)
T = TypeVar("T")
Ending = Finished | Failed | Cancelled | Drained
RETRY_S = 0.5


class LeaseLost(Exception):
    """The database could not be written for so long that the runs may be somebody else's by now."""


class EventWriter:
    """Collects events of one pack and writes them; `open` holds the runs that have not ended, with their fences."""

    def __init__(self, database: Database, settings: Settings, pack: Pack, expired: Callable[[], bool]) -> None:
        self.database, self.settings, self._expired = database, settings, expired
        self.open = pack.fences
        self.tainted = False  # a run failed or was lost: the trainer is not to be trusted with another pack
        self.timed_out: set[str] = set()
        self.sentence = ""  # why runs are given back
        self.tokens: dict[str, float] = {}
        self._checkpoints = {run.run_id: run.checkpoint_key for run in pack.runs}
        self._artifacts: dict[str, dict[str, Artifact]] = {}  # by run and kind
        self._waiting: list[records.Recorded] = []
        self._endings: list[Ending] = []
        self._stepped: set[str] = set()
        self._flushed_at = time.monotonic()
        self._urgent = False

    def take(self, event: Event) -> None:
        """Note an event; one of a run that is not open, or of an older fence, is dropped."""
        if not isinstance(event, RunMessage) or self.open.get(event.run_id) != event.fence:
            return
        match event:
            case Started():
                self._waiting.append(event)
                self._urgent = True
            case Steps():
                self._waiting.append(event)
                self._urgent |= event.run_id not in self._stepped
                self._stepped.add(event.run_id)
            case Evaluation():
                self._waiting.append(event)
                self.tokens[event.run_id] = event.values.get("train/tokens", 0.0)
            case Log():
                self._waiting.append(event)
            case Checkpoint():
                key = storage.storage_key(self.settings, event.folder)
                self._waiting.append(event.model_copy(update={"folder": key}))
            case Artifact():
                self._artifacts.setdefault(event.run_id, {})[event.kind] = event
            case Finished() | Failed() | Cancelled() | Drained():
                self._endings.append(event)
                self._urgent = True

    def due(self) -> bool:
        """Whether it is time to write: the first step and every ending go at once."""
        something = bool(self._waiting or self._endings)
        return something and (self._urgent or time.monotonic() - self._flushed_at >= self.settings.flush_s)

    def flush(self) -> frozenset[str]:
        """Write what has been collected in one transaction; return the runs that prove lost, no longer open."""
        waiting, ending = self._waiting, self._endings
        self._waiting, self._endings, self._urgent = [], [], False
        self._flushed_at = time.monotonic()
        if not waiting and not ending:
            return frozenset()

        def write(session: Write) -> frozenset[str]:
            lost = records.record(session, waiting)
            refused = {e.run_id for e in sorted(ending, key=lambda e: e.run_id) if not self._end(session, e)}
            return lost | refused

        lost = self.commit(write)
        for run_id in lost:
            log.warning("run %s is no longer ours", run_id)
            self.open.pop(run_id, None)
            self.tainted = True
        self._tidy([e for e in waiting if isinstance(e, Checkpoint) and e.run_id not in lost])
        for event in ending:
            if self.open.pop(event.run_id, None) is not None:
                self.tainted |= isinstance(event, Failed)
                self._sweep(event)
        return lost

    def commit(self, work: Callable[[Write], T]) -> T:
        """Do `work` in one transaction, again while the database is away; LeaseLost when that takes too long."""
        while True:
            try:
                with self.database.write() as session:
                    return work(session)
            except Unavailable as error:
                if self._expired():
                    raise LeaseLost from error
                log.warning("waiting for the database: %s", error.message)
                time.sleep(RETRY_S)

    def end_all(self, end: Callable[[Write, str, int], object]) -> None:
        """End every open run in the same way."""
        held = sorted(self.open.items())
        self.commit(lambda session: [end(session, run_id, fence) for run_id, fence in held])
        self.open.clear()

    def give_back(self, message: str) -> None:
        """All open runs wait again, without penalty."""
        self.end_all(lambda session, run_id, fence: endings.give_back(session, run_id, fence, message))

    def crash(self, message: str, tail: str) -> None:
        """The trainer died under all open runs; its last words go to their logs."""

        def end(session: Write, run_id: str, fence: int) -> None:
            if tail:
                records.record(session, [Log(run_id=run_id, fence=fence, level="error", text=tail)])
            endings.lose(session, run_id, fence, AttemptEnd.CRASHED, message, self.settings.max_attempts)

        self.end_all(end)

    def _end(self, session: Write, event: Ending) -> bool:
        run_id, fence = event.run_id, event.fence
        match event:
            case Finished():
                examples = event.examples.model_dump(mode="json")
                left = self._left(run_id)
                return endings.finish(
                    session, run_id, fence, event.step, dict(event.final), left, examples, event.message
                )
            case Failed():
                return endings.fail(session, run_id, fence, event.code, records.printable(event.message))
            case Cancelled() if run_id in self.timed_out:
                return endings.fail(session, run_id, fence, FailureCode.TIME_LIMIT, self.time_limit_sentence())
            case Cancelled():
                return endings.cancelled(session, run_id, fence)
            case Drained():
                return endings.give_back(session, run_id, fence, self.sentence)

    def time_limit_sentence(self) -> str:
        """What is said of a run that took too long."""
        return (
            f"The run took longer than {self.settings.run_time_limit_s / 3600:g} h, the limit set by "
            "DROPSCOPE_RUN_TIME_LIMIT_S. Train fewer steps, or raise the limit and retry the run: it goes on from its "
            "checkpoint."
        )

    def _left(self, run_id: str) -> list[endings.NewArtifact]:
        return [
            endings.NewArtifact(
                told.kind,
                storage.storage_key(self.settings, told.folder),
                told.files,
                disk.size(Path(told.folder)),
                told.step,
                told.clocks,
            )
            for told in self._artifacts.get(run_id, {}).values()
        ]

    def _tidy(self, written: list[Checkpoint]) -> None:
        for event in written:
            older = self._checkpoints.get(event.run_id)
            if older is not None and older != event.folder:
                storage.delete(self.settings, older)
            self._checkpoints[event.run_id] = event.folder

    def _sweep(self, event: Ending) -> None:
        if isinstance(event, Finished):
            told = self._artifacts.get(event.run_id, {}).values()
            keep = [storage.storage_key(self.settings, artifact.folder) for artifact in told]
            storage.sweep(self.settings, event.run_id, keep)
