"""What a person is told when training stops on an exception: a code, a sentence with the remedy, and details."""

import errno
import traceback
from dataclasses import dataclass

import torch
from safetensors import SafetensorError
from transformer_dropout import DropoutError

from backend.shared.errors import DropscopeError, TrainingError
from backend.shared.run_status import FailureCode
from backend.shared.specs import TrainingSpec

_FULL = (errno.ENOSPC, errno.EDQUOT)
_MEMORY_WORDS = (
    "out of memory",
    "can't allocate memory",
    "not enough memory",
    "cannot allocate memory",
    "status_alloc_failed",  # cuBLAS
)


@dataclass(frozen=True)
class Failure:
    """How a run failed."""

    code: FailureCode
    message: str
    details: str = ""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on whichever device."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(word in str(error).lower() for word in _MEMORY_WORDS)


def _is_disk_full(error: BaseException) -> bool:
    """Whether a file could not be written for want of room; safetensors tells it in words only."""
    if isinstance(error, OSError):
        return error.errno in _FULL
    return isinstance(error, SafetensorError) and any(f"os error {code}" in str(error) for code in _FULL)


def explain(error: BaseException, training: TrainingSpec | None = None) -> Failure:
    """The failure that an exception means; training: the numbers of the run that it ended."""
    if isinstance(error, TrainingError):
        return Failure(error.failure, error.message)
    if isinstance(error, DropscopeError | DropoutError):
        return Failure(FailureCode.BAD_INPUT, str(error))
    if is_out_of_memory(error):
        return Failure(
            FailureCode.OUT_OF_MEMORY,
            f"Memory ran out even with this run alone. Lower {_sizes(training)}, or pick a smaller model.",
            str(error),
        )
    if _is_disk_full(error):
        return Failure(
            FailureCode.DISK_FULL, "The disk is full. Make room and retry the run: it goes on from its checkpoint."
        )
    details = "".join(traceback.format_exception(error))
    return Failure(
        FailureCode.INTERNAL,
        f"Training stopped on an error of the program ({type(error).__name__}). The run's log has the details; "
        "retry the run, and report the log if it happens again.",
        details,
    )


def _sizes(training: TrainingSpec | None) -> str:
    """What decides about memory, by name and with its value."""
    if training is None:
        return "training.batch_size or training.max_length"
    return f"training.batch_size (now {training.batch_size}) or training.max_length (now {training.max_length})"
