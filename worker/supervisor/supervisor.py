"""The work of one "look": claim and train packs until nothing waits, with one trainer kept warm between them."""

import logging
from collections.abc import Callable, Sequence
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from backend.shared import disk, logs
from backend.shared.database import Database
from backend.shared.errors import Unavailable
from backend.shared.settings import Settings
from backend.shared.store import queue
from backend.shared.store.queue import Pack
from worker.supervisor.heartbeat import Heartbeat
from worker.supervisor.pack_supervisor import PackSupervisor
from worker.supervisor.trainer_process import TRAINER, TrainerProcess

log = logging.getLogger(__name__)
LOGS_KEPT = 64  # of trainers, more than a machine has workers
EXIT_GRACE_S = 0.5  # an idle trainer has nothing to save


class Supervisor:
    """Holds what lives as long as the worker's process: its heartbeat and its warm trainer.

    Use it from one thread that lives to the end of the process: the trainer dies with that thread.
    """

    def __init__(
        self,
        database: Database,
        settings: Settings,
        heartbeat: Heartbeat,
        ring: Callable[[], None],
        drain_s: float,
        trainer_command: Sequence[str] = TRAINER,
    ) -> None:
        self.database, self.settings, self.heartbeat, self.ring = database, settings, heartbeat, ring
        self.drain_s, self.trainer_command = drain_s, trainer_command
        self._trainer: TrainerProcess | None = None

    def warm_up(self) -> TrainerProcess:
        """The trainer, started if there is none; it loads its libraries while the worker waits."""
        if self._trainer is not None and not self._trainer.gone:
            self._trainer.read(0)  # notices a trainer that died while it was idle
        if self._trainer is None or self._trainer.gone:
            self._discard()
            log_file = self.settings.home / "logs" / f"trainer-{self.heartbeat.worker_id}.log"
            _forget_old(log_file.parent)
            self._trainer = TrainerProcess(self.trainer_command, log_file)
        return self._trainer

    def look(self) -> int:
        """Claim and train until nothing waits, the worker drains, or the disk is too full; return the packs trained."""
        packs = 0
        while not self.heartbeat.draining:
            full = disk.too_full(self.settings)
            if full:
                log.warning(full)
                break
            try:
                trainer = self.warm_up()
            except OSError as error:  # a full disk, or no room for another process
                log.warning("no trainer could be started (the next ring tries again): %s", error)
                break
            pack = self._claim()
            if pack is None:
                break
            packs += 1
            logs.cut(trainer.log)
            watch = PackSupervisor(self.database, self.settings, self.heartbeat, trainer, pack, self.drain_s)
            if not watch.run():
                self._discard()
        return packs

    def close(self) -> None:
        """Let the trainer go."""
        if self._trainer is not None:
            self._trainer.close(EXIT_GRACE_S)
            self._trainer = None

    def _claim(self) -> Pack | None:
        try:
            with self.database.write() as session:
                pack = queue.claim_pack(
                    session, self.heartbeat.worker_id, self.settings.pack_size, self.settings.lease_s
                )
                more = pack is not None and queue.work_waits(session)
        except (Unavailable, DBAPIError) as error:
            log.warning("could not look into the queue (the next ring tries again): %s", error)
            return None
        if more:
            self.ring()  # wakes the next idle worker
        return pack

    def _discard(self) -> None:
        if self._trainer is not None:
            self._trainer.close()
            self._trainer = None


def _forget_old(folder: Path) -> None:
    """Delete the logs of trainers of long ago: each start of a worker leaves one."""
    found = [(file.stat().st_mtime, file) for file in folder.glob("trainer-*.log") if file.is_file()]
    for _, file in sorted(found, reverse=True)[LOGS_KEPT:]:
        file.unlink(missing_ok=True)
        file.with_name(f"{file.name}.1").unlink(missing_ok=True)
