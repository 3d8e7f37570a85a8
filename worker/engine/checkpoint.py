"""Checkpoints at step boundaries: safetensors and JSON, whole or not gone on from. Masks need no state."""

import hashlib
import json
import math
import os
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from backend.shared.files import sha256_of

FORMAT = 3  # with a seal since 2, with the kept adapter since 3; what an older version wrote begins afresh
_TENSORS, _STATE = "state.safetensors", "state.json"


class UnreadableCheckpoint(Exception):
    """A checkpoint that a run cannot go on from."""


@dataclass
class Progress:
    """Where a run stands, beside its tensors.

    losses: those since the evaluation before.  stack: the shape of the stack that it was trained in, if it was.
    best_step: that of the best evaluation so far, -1 before the first; best: what it is kept by, lower the better.
    best_loss: its validation loss.
    bar, waited: what the next evaluation must pass to count as an improvement, and how many did not.
    early: whether that ended the run before its last step.
    """

    step: int = 0
    tokens: int = 0
    seconds: float = 0.0
    flops: float = 0.0
    bad_steps: int = 0
    losses: list[float] = field(default_factory=list)
    stack: dict[str, int] | None = None
    best_step: int = -1
    best: float = math.inf
    best_loss: float = math.inf
    bar: float = math.inf
    waited: int = 0
    early: bool = False


def write_checkpoint(folder: Path, progress: Progress, key: str, seed: int, tensors: Mapping[str, Tensor]) -> Path:
    """Write `folder`/step-N and return it; older ones stay, for the supervisor knows when nobody needs them.

    key and seed: the arm's key and the run's seed, checked when the checkpoint is read.
    """
    target = folder / f"step-{progress.step:08d}"
    working = folder / f".step-{progress.step:08d}.tmp"
    shutil.rmtree(working, ignore_errors=True)
    working.mkdir(parents=True)
    save_file(dict(tensors), working / _TENSORS)
    state = {"format": FORMAT, "arm": key, "seed": seed, "progress": asdict(progress)}
    (working / _STATE).write_text(json.dumps({**state, "seal": _seal(state, working / _TENSORS)}))
    for name in (_TENSORS, _STATE):
        _sync(working / name)
    shutil.rmtree(target, ignore_errors=True)
    working.rename(target)
    _sync(folder)
    return target


def read_checkpoint(folder: Path, key: str, seed: int) -> tuple[Progress, dict[str, Tensor]]:
    """Read a checkpoint; raises UnreadableCheckpoint where it is broken or belongs to another run."""
    try:
        state = json.loads((folder / _STATE).read_text())
        seal = state.pop("seal", None)
        if state["format"] != FORMAT or (state["arm"], state["seed"]) != (key, seed):
            raise ValueError("it was written by another run or another version")
        if seal != _seal(state, folder / _TENSORS):
            raise ValueError("its bytes are not those that were written")
        tensors: dict[str, Tensor] = load_file(folder / _TENSORS)
        progress = Progress(**state["progress"])
    except (OSError, ValueError, KeyError, TypeError, SafetensorError) as error:
        raise UnreadableCheckpoint(f"The checkpoint {folder.name} cannot be read ({error})") from error
    return progress, tensors


def latest_checkpoint(folder: Path) -> Path | None:
    """The newest complete checkpoint under `folder`, if there is one."""
    found = sorted(folder.glob("step-*"))
    return found[-1] if found else None


def _seal(state: Mapping[str, object], tensors: Path) -> str:
    """SHA-256 over all that a checkpoint holds: disks flip bits, and numbers would be wrong without a word."""
    return hashlib.sha256(f"{sha256_of(tensors)} {json.dumps(state, sort_keys=True)}".encode()).hexdigest()


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
