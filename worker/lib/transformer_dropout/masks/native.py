"""Keep-masks for the base model's own dropout: any module, any shape, and attention weights."""

import torch

from .attention import AttentionKeep
from .draw import Draw, kept
from .rows import Rows

# Streams of the base model's own dropout, above those of sites and noise.
NATIVE_ATTENTION_STREAM, NATIVE_STREAM = 512, 1024


def native_keep(draw: Draw, ordinal: int, call: int, rate: float, rows: Rows, shape: torch.Size) -> torch.Tensor:
    """Draw the mask of the base model's dropout module number `ordinal`, called for the `call`-th time in this pass.

    shape: of what it drops from, `[B, width, E]` (or `[B width, E]`) for the tokens of padded `rows`, where padding is
    kept; anything else is drawn element by element. Bool, of that shape.
    """
    features = shape[-1]
    by_token = rows.width is not None and shape[:-1].numel() == rows.batch * rows.width
    count = rows.total if by_token else shape[:-1].numel()
    keep = kept(draw.bits(ordinal, NATIVE_STREAM + call, count * features), rate).view(count, features)
    return (rows.to_padded(keep, True) if by_token else keep).view(shape)


def native_attention_keep(draw: Draw, layer: int, rate: float, rows: Rows, heads: int) -> AttentionKeep:
    """Draw the mask of the base model's own dropout on the attention weights of a layer."""
    pairs = kept(draw.bits(layer, NATIVE_ATTENTION_STREAM, heads * sum(n * n for n in rows.lengths)), rate)
    return AttentionKeep(rows, heads, None, pairs)
