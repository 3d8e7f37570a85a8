"""What a run says of every held-out row at its two clocks: gathered along its way, written as one file at its end.

Tensors `<clock>.<split>.<field>` with N rows of a split in the order in which they were drawn: `loss` float32 [N], mean
over the row's units; of classes `logits` float16 [N, C], where C is more than MOST_CLASSES `predicted` uint16 [N],
`p_right` and `margin` float16 [N] instead; of values `predicted` float32 [N]; of texts `units` int32 and `accuracy`
float16 [N], over completion tokens. `<split>.row` [N] are the rows' numbers in the data set's file, `<split>.label` [N]
what is right.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from safetensors.numpy import save
from torch import Tensor

from backend.shared.files import write_atomically
from backend.shared.specs import Clock, Task
from worker.data.rows import Rows
from worker.engine.losses import Tally

FILE = "ledger.safetensors"
MOST_CLASSES = 16  # more logits than that would make most of the file
_LARGEST = 65504.0  # of float16


def detail(logits: Tensor, labels: Tensor) -> Tensor:
    """What is kept of the logits [K, U, C] of classes, float16: they themselves, or of many [K, U, 2] what they say.

    The two are the probability of the right class and its margin: its logit less the largest other one.
    """
    if logits.shape[-1] <= MOST_CLASSES:
        return logits.clamp(-_LARGEST, _LARGEST).half()
    at = labels.view(1, -1, 1).expand(len(logits), -1, 1)
    right = logits.gather(-1, at)
    p_right = (right - logits.logsumexp(-1, keepdim=True)).exp()
    other = logits.scatter(-1, at, -torch.inf).amax(-1, keepdim=True)
    return torch.cat([p_right, right - other], -1).clamp(-_LARGEST, _LARGEST).half()


def rows(clock: Clock, split: str, task: Task, classes: int, tally: Tally) -> dict[str, Tensor]:
    """What a set of rows, all judged, adds to a run's ledger; `predicted` of classes as int32 until it is written."""
    _, losses = tally.by_example()
    found: dict[str, np.ndarray] = {"loss": losses.astype(np.float32)}
    order = tally.order
    if task == "causal_lm":
        units, right = tally.hits()
        found |= {"units": units.astype(np.int32), "accuracy": (right / units).astype(np.float16)}
    elif task == "regression":
        found["predicted"] = tally.predicted[order].astype(np.float32)
    elif tally.details is not None and classes > MOST_CLASSES:
        p_right, margin = tally.details[order].T
        found |= {"predicted": tally.predicted[order].astype(np.int32), "p_right": p_right, "margin": margin}
    elif tally.details is not None:
        found["logits"] = tally.details[order]
    return {f"{clock}.{split}.{name}": torch.from_numpy(np.ascontiguousarray(part)) for name, part in found.items()}


def write(folder: Path, task: Task, said: Mapping[str, Tensor], held: Mapping[str, Rows]) -> dict[str, str]:
    """Write a run's ledger into a folder of its own; return the file with its SHA-256. held: the rows by split."""
    found = {name: part.numpy() for name, part in said.items()}
    if task == "classification":
        found |= {name: part.astype(np.uint16) for name, part in found.items() if name.endswith(".predicted")}
    for split, of_split in held.items():
        if not len(of_split):
            continue
        assert of_split.lines is not None  # rows of a stored set know where they stand
        found[f"{split}.row"] = _small(np.asarray(of_split.lines))
        if task == "classification":
            found[f"{split}.label"] = _small(np.asarray(of_split.labels))
        elif task == "regression":
            found[f"{split}.label"] = np.asarray(of_split.labels, np.float32)
    content = save(found)
    write_atomically(folder / FILE, content)
    return {FILE: hashlib.sha256(content).hexdigest()}


def _small(numbers: np.ndarray) -> np.ndarray:
    """Whole numbers from 0 in the smallest type that holds them."""
    largest = int(numbers.max())
    return numbers.astype(np.uint8 if largest < 1 << 8 else np.uint16 if largest < 1 << 16 else np.int32)
