"""The masks of one pass as the hand-written layers use them: bits to AND with, made once for the way there and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformer_dropout.masks import VectorKeep

from worker.engine.single.drops import spread

WHOLE = {2: torch.int16, 4: torch.int32}  # integers as wide as a number in the compute dtype


@dataclass(frozen=True)
class Mask:
    """What is dropped from x [M, E]: x * factor * scale where `bits` are all ones, exactly 0 where they are 0."""

    bits: Tensor  # int16 or int32, [M, E] or [M, 1]
    factor: float  # may as well be multiplied in elsewhere
    scale: Tensor | None = None  # [M, 1]

    def __call__(self, x: Tensor) -> Tensor:
        """x after the mask, in a new tensor; also the gradient's way back."""
        return self.cut(x) if self.factor == 1.0 else self.cut_(x * self.factor)

    def cut(self, x: Tensor) -> Tensor:
        """x after the mask but for its factor, in a new tensor."""
        if self.scale is not None:
            return self.cut_(x.clone(memory_format=torch.contiguous_format))
        return torch.bitwise_and(x.view(self.bits.dtype), self.bits).view(x.dtype)

    def cut_(self, x: Tensor) -> Tensor:
        """The same in place."""
        if self.scale is not None:
            x.mul_(self.scale)
        x.view(self.bits.dtype).bitwise_and_(self.bits)  # several times faster than a product with booleans
        return x


def mask_of(found: VectorKeep, rows: Tensor | None, count: int, dtype: torch.dtype) -> Mask:
    """The mask of a keep over real tokens, for `count` rows: what follows those is kept. rows: of these tokens only."""
    keep, scale = found.keep, found.scale
    if rows is not None:
        keep = keep.index_select(0, rows)
        scale = scale.index_select(0, rows) if isinstance(scale, Tensor) else scale
    if isinstance(scale, Tensor):
        return Mask(bits_of(keep, dtype, count), 1.0, spread(scale, count, 1.0).to(dtype))
    return Mask(bits_of(keep, dtype, count), scale)


def bits_of(keep: Tensor, dtype: torch.dtype, count: int | None = None) -> Tensor:
    """All ones where `keep` [n, ...], as integers of the width of `dtype`; all ones from row n to `count`, too."""
    if count is None or count == keep.shape[0]:
        return keep.to(WHOLE[dtype.itemsize]).neg_()
    bits = keep.new_empty((count, *keep.shape[1:]), dtype=WHOLE[dtype.itemsize])
    bits[: keep.shape[0]].copy_(keep).neg_()
    bits[keep.shape[0] :] = -1
    return bits


def dropped(x: Tensor, masks: Sequence[Mask]) -> Tensor:
    """x [M, E] after all masks, whose order does not matter: also the gradient's way back."""
    for mask in masks:
        x = mask(x)
    return x


def plus_dropped(rest: Tensor, x: Tensor, masks: Sequence[Mask]) -> Tensor:
    """rest [M, E] + x after all masks; x is used up."""
    factor = 1.0
    for mask in masks:
        x = mask.cut_(x)
        factor *= mask.factor
    return torch.add(rest, x, alpha=factor, out=x)


def bias_of(kept: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where `kept`, -inf elsewhere."""
    return torch.zeros(kept.shape, dtype=dtype).masked_fill_(~kept, float("-inf"))
