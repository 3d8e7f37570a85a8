"""The words for where a run stands, the reasons beside them, and which change is allowed."""

from enum import StrEnum


class RunStatus(StrEnum):
    """A run is in exactly one of these; pause is a flag on the study."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"


TERMINAL = frozenset({RunStatus.SUCCEEDED, RunStatus.FAILED, RunStatus.CANCELLED})


class FailureCode(StrEnum):
    """Why a run failed; shown beside the status with a sentence for a person."""

    WORKER_LOST = "worker_lost"  # its worker vanished three times
    TRAINER_CRASHED = "trainer_crashed"  # the training process ended without a word
    LOSS_NAN = "loss_nan"  # the loss was not a number at too many steps in a row
    OUT_OF_MEMORY = "out_of_memory"
    DISK_FULL = "disk_full"
    BAD_INPUT = "bad_input"  # model or data could not be used; retrying will not help
    TIME_LIMIT = "time_limit"
    INTERNAL = "internal"


class AttemptEnd(StrEnum):
    """Why one attempt at a run ended."""

    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"
    DRAINED = "drained"  # the worker shut down in order; no penalty
    LOST = "lost"  # the lease ran out: worker killed, host gone, process stopped
    CRASHED = "crashed"  # the trainer process died under a live supervisor


NEXT: dict[RunStatus, frozenset[RunStatus]] = {
    RunStatus.QUEUED: frozenset({RunStatus.RUNNING, RunStatus.CANCELLED, RunStatus.FAILED}),
    RunStatus.RUNNING: frozenset({RunStatus.QUEUED, *TERMINAL}),
    RunStatus.SUCCEEDED: frozenset(),
    RunStatus.FAILED: frozenset({RunStatus.QUEUED}),  # retry, on request
    RunStatus.CANCELLED: frozenset({RunStatus.QUEUED}),  # retry, on request
}
