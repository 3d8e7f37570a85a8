"""Sees one pack through its trainer: hands it over, records what comes, and acts on what is asked meanwhile."""

import errno
import logging
import time

from pydantic import ValidationError

from backend.shared import disk, logs
from backend.shared.database import Database, Write
from backend.shared.run_status import FailureCode
from backend.shared.settings import Settings
from backend.shared.specs import ArmKeySpec, RunSpec
from backend.shared.store import endings, workers
from backend.shared.store.queue import ClaimedRun, Pack
from backend.shared.trainer_protocol import Cancel, Drain, PackDone, PackedRun, Start
from worker.supervisor import storage
from worker.supervisor.event_writer import EventWriter, LeaseLost
from worker.supervisor.heartbeat import Heartbeat
from worker.supervisor.trainer_process import TrainerProcess

log = logging.getLogger(__name__)
POLL_S = 0.1
DISK_CHECK_S = 5.0
PACK_DONE_WAIT_S = 10.0
EXIT_WAIT_S = 5.0


class PackSupervisor:
    """One pack on one trainer; `drain_s` is how long a drain may take before the trainer is killed."""

    def __init__(
        self,
        database: Database,
        settings: Settings,
        heartbeat: Heartbeat,
        trainer: TrainerProcess,
        pack: Pack,
        drain_s: float,
    ) -> None:
        self.database, self.settings, self.heartbeat = database, settings, heartbeat
        self.trainer, self.pack, self.drain_s = trainer, pack, drain_s
        self.writer = EventWriter(database, settings, pack, lambda: heartbeat.expired)
        self.reusable = True  # whether the trainer may get another pack
        self._begun = self._disk_checked = time.monotonic()
        self._kill_at: float | None = None
        self._asked: set[str] = set()
        self._draining = self._pack_done = False

    def run(self) -> bool:
        """Train the pack to its end, whatever that is; return whether the trainer may be used again."""
        runs = ",".join(run.run_id for run in self.pack.runs)
        with logs.about(worker_id=self.pack.worker_id, study_id=self.pack.study_id, claim_id=self.pack.claim_id):
            log.info("training %s", runs)
            reusable = self._run()
            log.info("done with %s", runs)
        return reusable

    def _run(self) -> bool:
        self.heartbeat.watch(self.pack, self.trainer.kill)
        try:
            self._start()
            while self.writer.open and not self.trainer.gone:
                self._read(POLL_S)
                self._drop_lost()
                self._obey()
                self._check_limits()
            self._settle()
        except LeaseLost:
            log.error("the database could not be reached for a lease; this pack is given up")
            self.reusable = False
        except Exception as error:
            log.exception("supervising pack %s failed", self.pack.claim_id)
            self._give_up(error)
        finally:
            self.heartbeat.unwatch()
        return self.reusable and not self.writer.tainted and not self.trainer.gone

    def _start(self) -> None:
        runs = [packed for run in self.pack.runs if (packed := self._packed(run)) is not None]
        if runs:
            self.trainer.send(
                Start(
                    claim_id=self.pack.claim_id,
                    home=str(self.settings.shared),
                    runs=tuple(runs),
                    checkpoint_s=self.settings.checkpoint_s,
                )
            )

    def _packed(self, run: ClaimedRun) -> PackedRun | None:
        try:
            spec = RunSpec(arm=ArmKeySpec.model_validate(run.spec), seed=run.seed)
        except ValidationError as error:
            message = f"The arm's stored specification is not one this version can train: {error.errors()[0]['msg']}."
            self.writer.commit(lambda s: endings.fail(s, run.run_id, run.fence, FailureCode.BAD_INPUT, message))
            self.writer.open.pop(run.run_id)
            return None
        checkpoint = self.settings.artifacts / run.checkpoint_key if run.checkpoint_key else None
        if checkpoint is not None and not checkpoint.is_dir():
            log.warning("the checkpoint of run %s is not there; it starts afresh", run.run_id)
            checkpoint = None
        return PackedRun(
            run_id=run.run_id,
            fence=run.fence,
            spec=spec,
            folder=str(storage.attempt_folder(self.settings, run.run_id, run.fence)),
            resume_from=str(checkpoint) if checkpoint else None,
        )

    def _read(self, timeout: float) -> None:
        for event in self.trainer.read(timeout):
            self._pack_done |= isinstance(event, PackDone) and event.claim_id == self.pack.claim_id
            self.writer.take(event)
        if self.writer.due():
            self._stop_lost(self.writer.flush())

    def _drop_lost(self) -> None:
        """Runs that the last renewal did not find ours; with none left the trainer is killed."""
        renewal = self.heartbeat.renewal
        if renewal is not None:
            lost = frozenset(self.writer.open.keys() - renewal.held.keys())
            for run_id in lost:
                log.warning("run %s was given to somebody else", run_id)
                del self.writer.open[run_id]
            self._stop_lost(lost)

    def _stop_lost(self, lost: frozenset[str]) -> None:
        fences = self.pack.fences
        for run_id in sorted(lost):
            self.reusable = False
            self.trainer.send(Cancel(run_id=run_id, fence=fences[run_id]))

    def _obey(self) -> None:
        """Cancellations and draining, as the heartbeat has heard of them."""
        renewal = self.heartbeat.renewal
        for run_id in sorted(renewal.cancel & self.writer.open.keys()) if renewal else ():
            self._cancel(run_id)
        if self.heartbeat.draining:
            self._drain("The worker was shut down; the run goes on from its checkpoint.")

    def _cancel(self, run_id: str) -> None:
        if run_id not in self._asked:
            self._asked.add(run_id)
            self.trainer.send(Cancel(run_id=run_id, fence=self.writer.open[run_id]))
            self._set_deadline(self.settings.cancel_grace_s)

    def _drain(self, sentence: str) -> None:
        if not self._draining:
            self._draining, self.reusable, self.writer.sentence = True, False, sentence
            self.trainer.send(Drain())
            self._set_deadline(self.drain_s)

    def _set_deadline(self, seconds: float) -> None:
        at = time.monotonic() + seconds
        self._kill_at = at if self._kill_at is None else min(self._kill_at, at)

    def _check_limits(self) -> None:
        at = time.monotonic()
        if at - self._begun > self.settings.run_time_limit_s:
            for run_id in sorted(self.writer.open.keys() - self.writer.timed_out):
                self.writer.timed_out.add(run_id)
                self._cancel(run_id)
        if at - self._disk_checked > DISK_CHECK_S:
            self._disk_checked = at
            sentence = disk.too_full(self.settings)
            if sentence:
                self._drain(sentence)
        if not self._draining and not self._asked & self.writer.open.keys():
            self._kill_at = None  # everything asked for has been done
        if self._kill_at is not None and at > self._kill_at:
            log.warning("the trainer did not stop in time; killing it")
            self.trainer.kill()

    def _settle(self) -> None:
        """The trainer has said all it will say of this pack, or is gone: end what is open."""
        if self.trainer.gone:
            self.writer.flush()
            self._end_without_a_word()
            return
        end = time.monotonic() + PACK_DONE_WAIT_S
        while (
            self.reusable
            and not (self._pack_done or self.trainer.gone or self.writer.tainted)
            and time.monotonic() < end
        ):
            self._read(POLL_S)
        self.reusable &= self._pack_done
        self._release()

    def _end_without_a_word(self) -> None:
        self.trainer.wait(EXIT_WAIT_S)
        code = self.trainer.close()
        self.reusable = False
        if self._draining:
            self.writer.give_back(self.writer.sentence)
        if self._asked & self.writer.open.keys():
            self.writer.end_all(self._end_stopped)
        if self.writer.open and not self.heartbeat.expired:
            self.writer.crash(_how_it_ended(code, self.trainer.tail()), self.trainer.tail())
        self._release()

    def _end_stopped(self, session: Write, run_id: str, fence: int) -> None:
        """We killed the trainer for some of its runs; the mates are not to blame."""
        if run_id in self.writer.timed_out:
            endings.fail(session, run_id, fence, FailureCode.TIME_LIMIT, self.writer.time_limit_sentence())
        elif run_id in self._asked:
            endings.cancelled(session, run_id, fence)
        else:
            message = "The trainer had to be stopped for another run; this one goes on from its checkpoint."
            endings.give_back(session, run_id, fence, message)

    def _release(self) -> None:
        seconds = time.monotonic() - self._begun
        fresh = {run.run_id for run in self.pack.runs if run.checkpoint_key is None}
        tokens = sum(count for run_id, count in self.writer.tokens.items() if run_id in fresh)
        rate = tokens / seconds if tokens else None
        self.writer.commit(lambda session: workers.release(session, self.pack.worker_id, rate))

    def _give_up(self, error: Exception) -> None:
        """A fault of ours: no run may stay without a word, and none may come back for ever."""
        self.reusable = False
        self.trainer.kill()
        code = FailureCode.INTERNAL
        message = f"The supervisor failed ({type(error).__name__}); the worker's log has the details. Retry the run."
        if isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT):
            code, message = FailureCode.DISK_FULL, "The disk is full. Make room and retry the run."
        try:
            self.writer.end_all(lambda s, run_id, fence: endings.fail(s, run_id, fence, code, message))
            self._release()
        except Exception:
            log.exception("could not record it; the reaper will find these runs")


def _how_it_ended(code: int, tail: str) -> str:
    if code == -9:
        return "The training process was killed by the system, most often because memory ran out."
    if code < 0:
        return f"The training process was ended by signal {-code}."
    last = tail.splitlines()[-1] if tail else "it left no message"
    return f"The training process exited with code {code}: {last}"
