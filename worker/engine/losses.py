"""Losses and what is counted of them: per example or completion token, never per batch."""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F
from transformer_dropout.consistency import consistency_loss, regression_loss, task_loss
from transformer_dropout.spec import Consistency

from backend.shared.specs import Task


def unit_losses(task: Task, logits: Tensor, labels: Tensor) -> Tensor:
    """Loss of every unit (example, or completion token of a causal model): logits [U, C] fp32, labels [U], to [U].

    Cross-entropy in nats; squared error for regression.
    """
    if task == "regression":
        return (logits.squeeze(-1) - labels).square()
    return F.cross_entropy(logits, labels, reduction="none")


def hits(task: Task, logits: Tensor, labels: Tensor) -> Tensor | None:
    """Which units the model gets right, [U]; None for regression."""
    return None if task == "regression" else logits.argmax(-1) == labels


@dataclass(frozen=True)
class TwoPasses:
    """Logits and features of the two passes of a consistency loss."""

    logits: Tensor
    other_logits: Tensor
    features: Tensor
    other_features: Tensor


def total_loss(task: Task, labels: Tensor, tie: Consistency, first: Tensor, passes: TwoPasses | None) -> Tensor:
    """The loss of a step: the task's, and the weighted consistency loss where a second pass was made."""
    own = unit_losses(task, first, labels).mean()
    if passes is None:
        return own
    other = unit_losses(task, passes.other_logits, labels).mean()
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
        self._right, self._judged = 0, 0

    def add(self, losses: Tensor, examples: np.ndarray, right: Tensor | None) -> None:
        """Add units: their losses [U], the example each belongs to [U], and which were right."""
        self._losses.append(losses.double().numpy())
        self._examples.append(examples)
        if right is not None:
            self._right += int(right.sum())
            self._judged += right.numel()

    def joined(self, other: "Tally") -> "Tally":
        """The units of both."""
        both = Tally()
        both._losses, both._examples = self._losses + other._losses, self._examples + other._examples
        both._right, both._judged = self._right + other._right, self._judged + other._judged
        return both

    def __bool__(self) -> bool:
        return bool(self._losses)

    @property
    def mean(self) -> float:
        """Mean over units."""
        return float(np.concatenate(self._losses).mean())

    @property
    def accuracy(self) -> float | None:
        """Share of right units; None where nothing is judged."""
        return self._right / self._judged if self._judged else None

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
