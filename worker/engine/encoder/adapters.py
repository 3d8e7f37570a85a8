"""Products with a frozen weight, and the adapter's part added to them, forward and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from worker.engine.drops import Drops
from worker.engine.encoder.drops import Mask, mask_of
from worker.engine.lora import Adapter, Target

Gradients = dict[int, tuple[Tensor, Tensor]]  # number of the adapter -> gradients of down and up


@dataclass(frozen=True)
class SavedAdapter:
    """What the way back needs of one adapter."""

    ordinal: int
    read: Tensor  # its input after dropout, [M, in]
    inner: Tensor  # [M, r]
    kept: Mask | None
    by_rank: Mask | None


def linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x [M, in] to [M, out]. On a CPU fp32 goes to oneDNN, whose products are twice as fast on some processors."""
    if x.dtype == torch.float32 and x.device.type == "cpu" and torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        found: Tensor = torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")
        return found
    return F.linear(x, weight, bias)


def back_through(grad: Tensor, weight: Tensor, into: Tensor | None = None) -> Tensor:
    """grad [M, out] to the gradient of a `linear`'s input [M, in], added to `into` where that is given."""
    if grad.dtype == torch.float32:
        found = linear(grad, weight.t(), None)  # oneDNN reads the weight as it lies
        return found if into is None else into.add_(found)
    return grad @ weight if into is None else into.addmm_(grad, weight)


def add(
    y: Tensor,
    x: Tensor,
    target: Target,
    adapters: Sequence[Adapter],
    drops: Drops | None,
    rows: Tensor | None,
) -> SavedAdapter:
    """Add an adapter's part to y [M, out], in place. rows: which of the N tokens x holds, all where None."""
    adapter = adapters[target.ordinal]
    kept = by_rank = None
    if drops is not None:
        found = drops.adapter_input(target.layer, target.place, x.shape[1])
        kept = None if found is None else mask_of(found, rows, x.dtype)
        found = drops.adapter_rank(target.layer, target.place, adapter.down.shape[0])
        by_rank = None if found is None else mask_of(found, rows, x.dtype)
    read = x if kept is None else kept(x)
    inner = (read @ adapter.down.t()).mul_(adapter.scaling)
    if by_rank is not None:
        inner = by_rank(inner)
    y.addmm_(inner, adapter.up.t())
    return SavedAdapter(target.ordinal, read, inner, kept, by_rank)


def back(
    grad: Tensor, saved: SavedAdapter, adapters: Sequence[Adapter], gradients: Gradients, into: Tensor | None
) -> None:
    """From grad [M, out]: note the adapter's gradients, and add that of its input to `into` [M, in]."""
    adapter = adapters[saved.ordinal]
    inner = (grad @ adapter.up).mul_(adapter.scaling)
    if saved.by_rank is not None:
        inner = saved.by_rank(inner)
    gradients[saved.ordinal] = (inner.t() @ saved.read, grad.t() @ saved.inner)
    if into is None:
        return
    if saved.kept is None:
        into.addmm_(inner, adapter.down)
    else:
        into.add_(saved.kept(inner @ adapter.down))
