"""One run's ledger, read from its file: loss and prediction of every held-out row, at each clock.

The file is safetensors: `<clock>.<split>.<field>` with clock in CLOCKS and split in SPLITS; `<split>.row` and
`<split>.label` are the same at both clocks. Shapes: N rows of a split, C classes.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load_file
from scipy.special import softmax

from backend.shared.specs import Clock

from .statistics.calibration import Floats, Ints

Split = Literal["validation", "test"]
CLOCKS: tuple[Clock, ...] = ("last", "stopped")
SPLITS: tuple[Split, ...] = ("validation", "test")


@dataclass(frozen=True)
class Rows:
    """What a run says of the rows of one split at one clock; what its task does not have is None."""

    row: Ints  # [N] numbers of the rows in the data set's split
    loss: Floats  # [N]
    label: Floats | None  # [N] the right class or value
    logits: Floats | None  # [N, C]; None for more classes than a ledger keeps them of
    predicted: Floats | None  # [N] class or value
    p_right: Floats | None  # [N] probability of the right class
    margin: Floats | None  # [N] logit of the right class less the largest other one
    units: Ints | None  # [N] completion tokens
    accuracy: Floats | None  # [N] share of completion tokens that are predicted

    @property
    def right(self) -> NDArray[np.bool_] | None:
        """[N] whether the predicted class is the right one; None where there are no classes."""
        if self.p_right is None or self.predicted is None or self.label is None:
            return None
        return np.asarray(self.predicted == self.label)

    @property
    def classes(self) -> Ints | None:
        """[N] the right classes, where there are classes."""
        return None if self.p_right is None or self.label is None else self.label.astype(np.int64)


Ledger = dict[tuple[Clock, Split], Rows]


def read(path: Path) -> Ledger:
    """All that a ledger holds, floats widened; raises ValueError for a file that is none."""
    tensors = load_file(path)
    found: Ledger = {}
    for clock in CLOCKS:
        for split in SPLITS:
            if f"{clock}.{split}.loss" in tensors:
                found[clock, split] = _rows(tensors, clock, split)
    if not found:
        raise ValueError(f"{path.name} holds no losses of rows")
    return found


def _rows(tensors: dict[str, np.ndarray], clock: Clock, split: Split) -> Rows:
    def floats(name: str) -> Floats | None:
        found = tensors.get(name)
        return None if found is None else found.astype(np.float64)

    def field(name: str) -> Floats | None:
        return floats(f"{clock}.{split}.{name}")

    label, logits, units = floats(f"{split}.label"), field("logits"), field("units")
    predicted, p_right, margin = field("predicted"), field("p_right"), field("margin")
    if logits is not None and label is not None:
        predicted, p_right, margin = _of_logits(logits, label.astype(np.int64))
    loss = tensors[f"{clock}.{split}.loss"].astype(np.float64)
    row = tensors.get(f"{split}.row", np.arange(len(loss))).astype(np.int64)
    return Rows(
        row=row,
        loss=loss,
        label=label,
        logits=logits,
        predicted=predicted,
        p_right=p_right,
        margin=margin,
        units=None if units is None else units.astype(np.int64),
        accuracy=field("accuracy"),
    )


def _of_logits(logits: Floats, label: Ints) -> tuple[Floats, Floats, Floats]:
    """Predicted class, probability of the right one, and its margin over the best other one, each [N]."""
    at = np.arange(len(label))
    others = logits.copy()
    others[at, label] = -np.inf
    return (
        logits.argmax(1).astype(np.float64),
        softmax(logits, axis=1)[at, label],
        logits[at, label] - others.max(1),
    )
