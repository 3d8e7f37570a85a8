"""Consistency losses between two passes: R-Drop's and HiddenKey's KL, the paper's JS, the textbook's and HiddenCut's.

All in float32 at temperature 1, summed over classes and averaged over examples (or label positions), so that a weight
does not depend on the batch size. Which pass is detached, and its cost, is data: `spec.CONSISTENCY`.
"""

import torch
import torch.nn.functional as F

from transformer_dropout.errors import ShapeError, SpecError
from transformer_dropout.spec import CONSISTENCY, ConsistencyKind


def consistency_loss(
    kind: str,
    logits: torch.Tensor,
    other_logits: torch.Tensor,
    *,
    labels: torch.Tensor | None = None,
    mask: torch.Tensor | None = None,
) -> torch.Tensor:
    """Return the loss of `kind` between two passes' logits `[..., V]`, a float32 scalar without its weight.

    logits: the trained pass; other_logits: the second one (stochastic, or clean for js_paper and js_hiddencut),
    detached here where the kind says so.  labels `[...]`: positions labelled -100 do not count (aligned with the
    logits, already shifted for causal models).  mask `[...]`: bool, which positions count.
    Raises ShapeError, SpecError.
    """
    found = consistency_kind(kind)
    if logits.shape != other_logits.shape:
        raise ShapeError(f"the two passes have logits {tuple(logits.shape)} and {tuple(other_logits.shape)}")
    first = torch.log_softmax(logits.float(), -1)
    second = torch.log_softmax((other_logits.detach() if found.second_detached else other_logits).float(), -1)
    return _mean(_divergence(found.name, first, second), _positions(logits, labels, mask))


def regression_loss(
    kind: str, predictions: torch.Tensor, other_predictions: torch.Tensor, *, mask: torch.Tensor | None = None
) -> torch.Tensor:
    """Return the mean squared difference between two passes' predictions `[...]`, float32 (R-Drop's form).

    The second pass is detached where the kind says so. For the paper's literal reading, pass the last layer's
    representations as logits to `consistency_loss`.
    """
    found = consistency_kind(kind)
    other = other_predictions.detach() if found.second_detached else other_predictions
    if predictions.shape != other.shape:
        raise ShapeError(f"the two passes have predictions {tuple(predictions.shape)} and {tuple(other.shape)}")
    return _mean((predictions.float() - other.float()).square(), mask)


def task_loss(kind: str, first: torch.Tensor, second: torch.Tensor | None) -> torch.Tensor:
    """Return the task loss of a step from the losses of its passes: the first, the mean or the sum."""
    found = consistency_kind(kind)
    if found.task_on_both == "first":
        return first
    if second is None:
        raise ShapeError(f"'{kind}' trains on both passes; give the second pass's loss as well")
    return (first + second) / 2 if found.task_on_both == "mean" else first + second


def consistency_kind(kind: str) -> ConsistencyKind:
    """Return the data of a two-pass kind; raises SpecError for 'none' and unknown names."""
    found = CONSISTENCY.get(kind)
    if found is None or found.passes == 1:
        kinds = ", ".join(name for name, entry in CONSISTENCY.items() if entry.passes == 2)
        raise SpecError(f"a consistency loss is one of {kinds}, not {kind!r}", "/kind")
    return found


def _divergence(kind: str, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
    """Return the divergence at each position, `[...]`, from log-probabilities `[..., V]`."""
    if kind in ("kl", "kl_both"):
        # KL(P1|P2) + KL(P2|P1) = sum (P1 - P2)(log P1 - log P2)
        return 0.5 * ((first.exp() - second.exp()) * (first - second)).sum(-1)
    if kind == "js_paper":
        return _kl(first, second)
    middle = torch.logaddexp(first, second) - 0.6931471805599453  # log of the mean distribution
    if kind == "js":
        return 0.5 * (_kl(first, middle) + _kl(second, middle))
    return 0.5 * (_kl(middle, first) + _kl(middle, second))


def _kl(log_p: torch.Tensor, log_q: torch.Tensor) -> torch.Tensor:
    """KL(p‖q) at each position; note the argument order of F.kl_div."""
    return F.kl_div(log_q, log_p, reduction="none", log_target=True).sum(-1)


def _positions(logits: torch.Tensor, labels: torch.Tensor | None, mask: torch.Tensor | None) -> torch.Tensor | None:
    counted = None if labels is None else labels != -100
    if mask is not None:
        counted = mask.bool() if counted is None else counted & mask.bool()
    if counted is not None and counted.shape != logits.shape[:-1]:
        raise ShapeError(f"labels or mask {tuple(counted.shape)} do not fit logits {tuple(logits.shape)}")
    return counted


def _mean(values: torch.Tensor, counted: torch.Tensor | None) -> torch.Tensor:
    if counted is None:
        return values.mean()
    return torch.where(counted, values, 0.0).sum() / counted.sum().clamp(min=1)
