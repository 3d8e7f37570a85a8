"""Losses and what is counted of them: per example or completion token, never per batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformer_dropout.consistency import consistency_loss, regression_loss, task_loss
from transformer_dropout.spec import Consistency

from backend.shared.specs import Task


def unit_losses(task: Task, logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Loss of every unit (example, or completion token of a causal model): logits [U, C] fp32, labels [U], to [U].

    Cross-entropy in nats; squared error for regression. smoothing: the share of the right answer's weight that is
    spread evenly over all C answers (Szegedy et al. 2016), of no meaning to a regression.
    """
    if task == "regression":
        return (logits.squeeze(-1) - labels).square()
    return F.cross_entropy(logits, labels, reduction="none", label_smoothing=smoothing)


def predictions(task: Task, logits: Tensor) -> Tensor:
    """What the model says of each unit, [U]: a class, a token, or the value of a regression."""
    return logits.squeeze(-1) if task == "regression" else logits.argmax(-1)


@dataclass(frozen=True)
class TwoPasses:
    """Logits and features of the two passes of a consistency loss."""

    logits: Tensor
    other_logits: Tensor
    features: Tensor
    other_features: Tensor


def total_loss(
    task: Task, labels: Tensor, tie: Consistency, first: Tensor, passes: TwoPasses | None, smoothing: float = 0.0
) -> Tensor:
    """The loss of a step: the task's, its labels smoothed, and the weighted consistency loss of a second pass."""
    own = unit_losses(task, first, labels, smoothing).mean()
    if passes is None:
        return own
    other = unit_losses(task, passes.other_logits, labels, smoothing).mean()
    if task == "regression" and tie.regression == "mse":
        between = regression_loss(tie.kind, passes.logits.squeeze(-1), passes.other_logits.squeeze(-1))
    elif task == "regression":
        between = consistency_loss(tie.kind, passes.features, passes.other_features)
    else:
        between = consistency_loss(tie.kind, passes.logits, passes.other_logits)
    return task_loss(tie.kind, own, other) + tie.weight * between


def divergence(on: Tensor, off: Tensor) -> Tensor:
    """KL(on ‖ off) of every unit from logits [U, C], to [U], in nats."""
    log_on, log_off = torch.log_softmax(on, -1), torch.log_softmax(off, -1)
    return (log_on.exp() * (log_on - log_off)).sum(-1)


class Tally:
    """Sums over units, kept by example, so that the standard error is one over examples."""

    def __init__(self) -> None:
        self._losses: list[np.ndarray] = []
        self._examples: list[np.ndarray] = []
        self._predicted: list[np.ndarray] = []
        self._right: list[np.ndarray] = []
        self._details: list[np.ndarray] = []

    def add(
        self,
        losses: Tensor,
        examples: np.ndarray,
        said: tuple[Tensor, Tensor] | None,
        details: Tensor | None = None,
    ) -> None:
        """Add units: their losses [U], the example each belongs to [U], what was predicted and what is right [U].

        details [U, D]: what is kept of their logits, for a ledger.
        """
        self._losses.append(losses.double().cpu().numpy())
        self._examples.append(examples)
        if said is not None:
            predicted, right = said
            self._predicted.append(predicted.cpu().numpy())
            self._right.append(right.cpu().numpy())
        if details is not None:
            self._details.append(details.cpu().numpy())

    def joined(self, other: "Tally") -> "Tally":
        """The units of both."""
        both = Tally()
        for name, parts in vars(self).items():
            setattr(both, name, parts + getattr(other, name))
        return both

    def part(self, examples: np.ndarray) -> "Tally":
        """The units of these examples."""
        inside, part = np.isin(np.concatenate(self._examples), examples), Tally()
        for name, parts in vars(self).items():
            setattr(part, name, [np.concatenate(parts)[inside]] if parts else [])
        return part

    def __bool__(self) -> bool:
        return bool(self._losses)

    @property
    def examples(self) -> int:
        """How many examples there are; they are numbered from 0 where a whole set was judged."""
        return len(np.unique(np.concatenate(self._examples)))

    @property
    def mean(self) -> float:
        """Mean over units."""
        return float(np.concatenate(self._losses).mean())

    @property
    def predicted(self) -> np.ndarray:
        """What was predicted of every unit, in the order they were added."""
        return np.concatenate(self._predicted) if self._predicted else np.empty(0)

    @property
    def right(self) -> np.ndarray:
        """What is right of every unit, likewise."""
        return np.concatenate(self._right) if self._right else np.empty(0)

    @property
    def accuracy(self) -> float | None:
        """Share of units whose prediction is right; None where nothing was predicted."""
        return float((self.predicted == self.right).mean()) if self._predicted else None

    def by_example(self) -> tuple[np.ndarray, np.ndarray]:
        """The examples, ascending, and the mean loss of each one's units."""
        losses, examples = np.concatenate(self._losses), np.concatenate(self._examples)
        numbers, where, units = np.unique(examples, return_inverse=True, return_counts=True)
        return numbers, np.bincount(where, weights=losses) / units

    @property
    def order(self) -> np.ndarray:
        """The units in the order of their examples."""
        return np.argsort(np.concatenate(self._examples), kind="stable")

    @property
    def details(self) -> np.ndarray | None:
        """What was kept of every unit's logits, [U, D], in the order they were added; None where nothing was."""
        return np.concatenate(self._details) if self._details else None

    def hits(self) -> tuple[np.ndarray, np.ndarray]:
        """Of the examples, ascending: how many units each has, and how many of them are predicted."""
        _, where, units = np.unique(np.concatenate(self._examples), return_inverse=True, return_counts=True)
        return units, np.bincount(where, weights=self.predicted == self.right)

    def said_of(self, example: int) -> tuple[float, float]:
        """What was predicted and what is right of an example with one unit."""
        at = int(np.flatnonzero(np.concatenate(self._examples) == example)[0])
        return float(self.predicted[at]), float(self.right[at])

    @property
    def standard_error(self) -> float:
        """Standard error of the mean over examples: sd / √n, or that of a ratio where examples have several units."""
        losses, examples = np.concatenate(self._losses), np.concatenate(self._examples)
        _, where = np.unique(examples, return_inverse=True)
        excess = np.bincount(where, weights=losses - losses.mean())
        n = len(excess)
        if n < 2:
            return float("nan")
        return float(np.sqrt((excess**2).sum() * n / (n - 1)) / len(losses))
