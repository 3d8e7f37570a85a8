"""What a run says: one method an event, with step losses gathered so that a fast run does not flood the pipe."""

import time
from collections.abc import Callable
from pathlib import Path

from backend.shared import metrics
from backend.shared import trainer_protocol as protocol
from backend.shared.specs import Clock
from worker.engine.failures import Failure

Emit = Callable[[protocol.Message], None]
GATHER_S = 0.5


class Reporter:
    """Speaks for one run. Losses go out at once at first, then every GATHER_S seconds, and before anything else."""

    def __init__(self, run: protocol.PackedRun, emit: Emit) -> None:
        self.run_id, self.fence = run.run_id, run.fence
        self._emit = emit
        self._losses: list[float] = []
        self._first_step = 0
        self._seconds = 0.0
        self._sent_at = float("-inf")

    def started(
        self, step: int, total: int, trainable: int, hooks: tuple[dict[str, object], ...], record: dict[str, object]
    ) -> None:
        """Training begins at `step`."""
        self._say(
            protocol.Started(
                run_id=self.run_id,
                fence=self.fence,
                step=step,
                total_steps=total,
                trainable_parameters=trainable,
                hooks=hooks,
                record=record,
            )
        )

    def step(self, step: int, loss: float, seconds: float) -> None:
        """Step number `step` (from 1) had this loss."""
        if not self._losses:
            self._first_step = step
        self._losses.append(loss)
        self._seconds += seconds
        if time.monotonic() - self._sent_at >= GATHER_S:
            self.flush()

    def flush(self) -> None:
        """Send the losses gathered so far."""
        if not self._losses:
            return
        gathered = protocol.Steps(
            run_id=self.run_id,
            fence=self.fence,
            first_step=self._first_step,
            losses=tuple(self._losses),
            seconds_per_step=self._seconds / len(self._losses),
        )
        self._losses, self._seconds, self._sent_at = [], 0.0, time.monotonic()
        self._emit(gathered)

    def evaluation(self, step: int, epoch: float, values: dict[str, float]) -> None:
        """Measured after `step`; what is not among METRICS is told as extra."""
        known = {name: value for name, value in values.items() if name in metrics.METRICS}
        extra = {name: value for name, value in values.items() if name not in known}
        self._say(
            protocol.Evaluation(run_id=self.run_id, fence=self.fence, step=step, epoch=epoch, values=known, extra=extra)
        )

    def checkpoint(self, step: int, folder: Path) -> None:
        """A complete checkpoint is on disk."""
        self._say(protocol.Checkpoint(run_id=self.run_id, fence=self.fence, step=step, folder=str(folder)))

    def log(self, level: str, text: str) -> None:
        """A line for the run's log; level is debug, info, warning or error."""
        line = {"run_id": self.run_id, "fence": self.fence, "level": level, "text": text}
        self._say(protocol.Log.model_validate(line))

    def adapter(self, folder: Path, files: dict[str, str], step: int, clocks: tuple[Clock, ...]) -> None:
        """The adapter of a step is on disk; clocks: those of the run that stand there."""
        self._say(
            protocol.Artifact(
                run_id=self.run_id,
                fence=self.fence,
                kind="adapter" if "last" in clocks else "adapter_stopped",
                folder=str(folder),
                files=files,
                step=step,
                clocks=clocks,
            )
        )

    def ledger(self, folder: Path, files: dict[str, str]) -> None:
        """What the run says of every held-out row is on disk."""
        left = {"run_id": self.run_id, "fence": self.fence, "kind": "ledger", "folder": str(folder), "files": files}
        self._say(protocol.Artifact.model_validate(left))

    def finished(
        self, step: int, final: dict[str, float], examples: protocol.Examples, message: str | None = None
    ) -> None:
        """The run is done; message: what is to be said of its end."""
        done = protocol.Finished(
            run_id=self.run_id, fence=self.fence, step=step, final=final, examples=examples, message=message
        )
        self._say(done)

    def fail(self, failure: Failure) -> None:
        """The run cannot go on; details go to its log."""
        if failure.details:
            self.log("error", failure.details)
        self._say(protocol.Failed(run_id=self.run_id, fence=self.fence, code=failure.code, message=failure.message))

    def cancelled(self, step: int) -> None:
        """The run was stopped on request."""
        self._say(protocol.Cancelled(run_id=self.run_id, fence=self.fence, step=step))

    def drained(self, step: int) -> None:
        """The run was checkpointed because the worker shuts down."""
        self._say(protocol.Drained(run_id=self.run_id, fence=self.fence, step=step))

    def _say(self, message: protocol.RunMessage) -> None:
        self.flush()
        self._emit(message)
