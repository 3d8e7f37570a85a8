"""The masks of one pass as the hand-written layers use them: bits to AND with, made once for the way there and back."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformer_dropout.masks import VectorKeep

WHOLE = {2: torch.int16, 4: torch.int32}  # integers as wide as a number in the compute dtype


@dataclass(frozen=True)
class Mask:
    """What is dropped from x [M, E]: x * scale where `bits` are all ones, exactly 0 where they are 0."""

    bits: Tensor  # int16 or int32, [M, E] or [M, 1]
    scale: float | Tensor  # a number, or [M, 1]

    def __call__(self, x: Tensor) -> Tensor:
        """x after the mask, in a new tensor; also the gradient's way back."""
        if isinstance(self.scale, Tensor):
            scaled = x * self.scale.to(x.dtype)
        else:
            scaled = x.mul(self.scale) if self.scale != 1.0 else x.clone(memory_format=torch.contiguous_format)
        scaled.view(self.bits.dtype).bitwise_and_(self.bits)  # several times faster than a product with booleans
        return scaled


def mask_of(found: VectorKeep, rows: Tensor | None, dtype: torch.dtype) -> Mask:
    """The mask of a keep; of some tokens only where `rows` is given."""
    keep, scale = found.keep, found.scale
    if rows is not None:
        keep = keep.index_select(0, rows)
        scale = scale.index_select(0, rows) if isinstance(scale, Tensor) else scale
    return Mask(bits_of(keep, dtype), scale)


def bits_of(keep: Tensor, dtype: torch.dtype) -> Tensor:
    """All ones where `keep`, as integers of the width of `dtype`."""
    return keep.to(WHOLE[dtype.itemsize]).neg_()


def dropped(x: Tensor, masks: Sequence[Mask]) -> Tensor:
    """x [M, E] after all masks, whose order does not matter: also the gradient's way back."""
    for mask in masks:
        x = mask(x)
    return x


def bias_of(kept: Tensor, dtype: torch.dtype) -> Tensor:
    """0 where `kept`, -inf elsewhere."""
    return torch.zeros(kept.shape, dtype=dtype).masked_fill_(~kept, float("-inf"))
