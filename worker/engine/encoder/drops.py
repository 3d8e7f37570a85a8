"""The masks of one pass as the hand-written layers use them."""

from collections.abc import Sequence

import torch
from torch import Tensor
from transformer_dropout.masks import VectorKeep

from worker.engine.drops import apply_keep


def dropped(x: Tensor, keeps: Sequence[VectorKeep]) -> Tensor:
    """x [N, E] after all keeps, whose order does not matter: also the gradient's way back."""
    for found in keeps:
        x = apply_keep(x, found)
    return x


def at_rows(found: VectorKeep, rows: Tensor | None) -> VectorKeep:
    """The keep of some tokens only; all where `rows` is None."""
    if rows is None:
        return found
    scale = found.scale
    return VectorKeep(
        found.keep.index_select(0, rows), scale.index_select(0, rows) if isinstance(scale, Tensor) else scale
    )


def bias_of(kept: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where `kept`, -inf elsewhere."""
    return torch.zeros(kept.shape, dtype=dtype).masked_fill_(~kept, float("-inf"))
