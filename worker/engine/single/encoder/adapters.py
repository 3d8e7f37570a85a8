"""The adapter's part, added to the product with a frozen weight, forward and back."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from worker.engine.pass_state import Adapter
from worker.engine.single.drops import Drops
from worker.engine.single.encoder.drops import Mask, mask_of
from worker.engine.target import Target

Gradients = dict[int, tuple[Tensor, Tensor]]  # number of the adapter -> gradients of down and up


@dataclass(frozen=True)
class SavedAdapter:
    """What the way back needs of one adapter."""

    ordinal: int
    read: Tensor  # its input after dropout but for a factor, [M, in]
    inner: Tensor  # [M, r]
    factor: float  # its scaling, with what the mask on its input scales by
    kept: Mask | None
    by_rank: Mask | None


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
        kept = None if found is None else mask_of(found, rows, x.shape[0], x.dtype)
        found = drops.adapter_rank(target.layer, target.place, adapter.down.shape[0])
        by_rank = None if found is None else mask_of(found, rows, x.shape[0], x.dtype)
    read, factor = (x, adapter.scaling) if kept is None else (kept.cut(x), adapter.scaling * kept.factor)
    inner = (read @ adapter.down.t()).mul_(factor)
    if by_rank is not None:
        inner = by_rank(inner)
    y.addmm_(inner, adapter.up.t())
    return SavedAdapter(target.ordinal, read, inner, factor, kept, by_rank)


def back(
    grad: Tensor, saved: SavedAdapter, adapters: Sequence[Adapter], gradients: Gradients, into: Tensor | None
) -> None:
    """From grad [M, out]: note the adapter's gradients, and add that of its input to `into` [M, in]."""
    adapter = adapters[saved.ordinal]
    inner = (grad @ adapter.up).mul_(saved.factor)
    if saved.by_rank is not None:
        inner = saved.by_rank(inner)
    gradients[saved.ordinal] = (inner.t() @ saved.read, grad.t() @ saved.inner)
    if into is None:
        return
    if saved.kept is None:
        into.addmm_(inner, adapter.down)
    else:
        into.add_(saved.kept.cut_(inner @ adapter.down))
