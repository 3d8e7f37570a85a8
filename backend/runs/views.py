"""Rows of runs as the API answers them."""

from collections.abc import Sequence
from datetime import datetime

from backend.shared.run_status import FailureCode, RunStatus
from backend.shared.specs import ArmKeySpec, RunSpec
from backend.shared.tables import Arm, Attempt, Run

from .schemas import AttemptOut, RunDetail, RunSummary


def _run(run: Run, arm: Arm, at: datetime) -> dict[str, object]:
    lapsed = _lapsed(run, at)
    return {
        "id": run.id,
        "study_id": run.study_id,
        "arm_id": run.arm_id,
        "arm_label": arm.label,
        "method": arm.method,
        "seed": run.seed,
        "position": run.position,
        "status": RunStatus.QUEUED if lapsed else RunStatus(run.status),
        "failure_code": FailureCode(run.failure_code) if run.failure_code else None,
        "message": lapsed or run.message,
        "step": run.step,
        "total_steps": run.total_steps,
        "progress": _progress(run),
        "attempt": run.attempt,
        "cancel_requested": run.cancel_requested_at is not None,
        "worker_id": run.worker_id,
        "seconds": run.seconds,
        "created_at": run.created_at,
        "started_at": run.started_at,
        "finished_at": run.finished_at,
    }


def _progress(run: Run) -> float:
    """0 to 1; a run that has succeeded is done, also where it stopped before its last step."""
    if run.status == RunStatus.SUCCEEDED:
        return 1.0
    return min(1.0, run.step / run.total_steps) if run.total_steps else 0.0


def _lapsed(run: Run, at: datetime) -> str | None:
    """A sentence where the run's lease has run out: it is not running then, whatever its row still says."""
    if run.status != RunStatus.RUNNING or run.lease_until is None or run.lease_until >= at:
        return None
    return f"Its worker's lease ran out at {run.lease_until:%H:%M:%S} UTC; the run waits for another worker."


def run_summary(run: Run, arm: Arm, at: datetime) -> RunSummary:
    """A line of a list of runs; `at` is the moment by the clock of leases."""
    return RunSummary.model_validate(_run(run, arm, at))


def run_detail(run: Run, arm: Arm, attempts: Sequence[Attempt], at: datetime, started_by: str | None) -> RunDetail:
    """A run with its attempts; started_by: the name of who asked for it."""
    return RunDetail.model_validate(
        {
            **_run(run, arm, at),
            "started_by": started_by,
            "spec": RunSpec(arm=ArmKeySpec.model_validate(arm.spec), seed=run.seed),
            "checkpoint_step": run.checkpoint_step,
            "trainable_parameters": run.trainable_parameters,
            "record": run.record,
            "final": run.final,
            "attempts": [AttemptOut.model_validate(attempt) for attempt in attempts],
        }
    )
