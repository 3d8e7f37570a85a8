"""Attention of a BERT-type layer over length groups, forward and back, on rows of heads as `heads` orders them."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformer_dropout.functional import rescued

from worker.engine.packing import Group, Layout
from worker.engine.single.drops import AttentionDrops
from worker.engine.single.encoder.drops import bias_of, bits_of

VECTOR_BYTES = 64  # of a row, below which torch's softmax kernels have no fast way for half-width numbers


@dataclass(frozen=True)
class WeightFactor:
    """A keep on attention weights as bits to AND with, [B, H, Q or 1, L], and its scale."""

    bits: Tensor
    scale: float

    def __call__(self, weights: Tensor) -> Tensor:
        """weights [B·H, Q, L] times keep times scale; also the gradient's way back."""
        scaled = weights * self.scale
        scaled.view(*self.bits.shape[:2], *weights.shape[1:]).view(self.bits.dtype).bitwise_and_(self.bits)
        return scaled


@dataclass(frozen=True)
class SavedGroup:
    """What the way back needs of one group. n = rows x heads; Q is L, or 1 where only first tokens ask."""

    query: Tensor  # [n, Q, D]
    key: Tensor  # [n, L, D]
    value: Tensor  # [n, L, D]
    weights: Tensor  # [n, Q, L], the softmax
    full: Tensor | None  # the softmax without drops, where the normaliser gets no gradient
    used: Tensor  # what multiplied the values
    factors: tuple[WeightFactor, ...]


def forward(
    query: Tensor, key: Tensor, value: Tensor, layout: Layout, heads: int, scaling: float, drops: AttentionDrops | None
) -> tuple[Tensor, list[SavedGroup]]:
    """query [P·H, D], or [R·H, D] by group where only first tokens ask; key, value [P·H, D]; to the query's shape.

    One query a row is too little for products in bf16: they are made in fp32, which is faster, too.
    """
    size = key.shape[1]
    only_first = query.shape[0] != key.shape[0]
    outputs: list[Tensor] = []
    saved: list[SavedGroup] = []
    asked = 0
    for group in layout.groups:
        span = slice(group.start * heads, group.stop * heads)
        shape = (len(group.rows) * heads, group.length, size)
        if only_first:
            q = query[asked : asked + shape[0]].view(shape[0], 1, size)
            asked += shape[0]
        else:
            q = query[span].view(shape)
        k, v = key[span].view(shape), value[span].view(shape)
        if only_first:
            q, k, v = q.float(), k.float(), v.float()
        weights, full, factors = _weights(q, k, group, layout, heads, scaling, drops)
        used = weights
        for factor in factors:
            used = factor(used)
        outputs.append(torch.bmm(used, v).view(-1, size).to(query.dtype))
        saved.append(SavedGroup(q, k, v, weights, full, used, factors))
    return (outputs[0] if len(outputs) == 1 else torch.cat(outputs)), saved


def backward(
    grad: Tensor, saved: Sequence[SavedGroup], scaling: float, to_query: Tensor, to_key: Tensor, to_value: Tensor
) -> None:
    """Write the gradients of query, key and value, in their shapes, from that of the output."""
    queries = keys = 0
    for group in saved:
        n, asking, size = group.query.shape
        length = group.key.shape[1]
        own, seen = slice(queries, queries + n * asking), slice(keys, keys + n * length)
        queries, keys = own.stop, seen.stop
        out = grad[own].view(n, asking, size).to(group.value.dtype)
        _put(to_value[seen].view(n, length, size), group.used.transpose(1, 2), out)
        back = torch.bmm(out, group.value.transpose(1, 2))
        for factor in reversed(group.factors):
            back = factor(back)
        scores = _softmax_back(back, group)
        _put(to_query[own].view(n, asking, size), scores, group.key)
        _put(to_key[seen].view(n, length, size), scores.transpose(1, 2), group.query)
    to_query.mul_(scaling)
    to_key.mul_(scaling)


def _put(into: Tensor, left: Tensor, right: Tensor) -> None:
    """Write the products of left [n, a, b] and right [n, b, c]."""
    if left.shape[2] == 1:
        into.copy_(left * right)
    elif left.dtype != into.dtype:
        into.copy_(torch.bmm(left, right))
    else:
        torch.bmm(left, right, out=into)


def _softmax_back(back: Tensor, group: SavedGroup) -> Tensor:
    if group.full is None:
        dtype = group.weights.dtype
        if back.shape[-1] * back.element_size() < VECTOR_BYTES:  # torch would go number by number: 7 times slower
            exact = torch._softmax_backward_data(back.float(), group.weights.float(), -1, torch.float32)
            return exact.to(dtype)
        return torch._softmax_backward_data(back, group.weights, -1, dtype)
    weighted = group.weights * back  # arXiv 2403.00812 Eq. 8-9: the normaliser is a constant
    return weighted - group.full * weighted.sum(-1, keepdim=True)


def _weights(
    query: Tensor,
    key: Tensor,
    group: Group,
    layout: Layout,
    heads: int,
    scaling: float,
    drops: AttentionDrops | None,
) -> tuple[Tensor, Tensor | None, tuple[WeightFactor, ...]]:
    """The softmax [n, Q, L] with its drops, the one without where it is needed, and the factors that follow."""
    asking = query.shape[1]
    if drops is None:
        return _softmax(query, key, _open_bias(group, layout, heads, key.dtype), scaling), None, ()
    kept = group.visible
    for keep in drops.logits:
        kept = rescued(_spread(keep.padded(group.rows, group.length), asking), kept)
    full_bias = None
    factors: list[WeightFactor] = []
    for drop in drops.weights:
        spread = _spread(drop.keep.padded(group.rows, group.length), asking)
        if drop.rescale in ("inverted", "none"):
            scale = 1.0 / (1.0 - drop.rate) if drop.rescale == "inverted" else 1.0
            factors.append(WeightFactor(bits_of(spread, key.dtype), scale))
            continue
        if drop.rescale == "normalized":
            full_bias = _bias(kept, heads, key.dtype)
        kept = rescued(spread, kept)
    full = None if full_bias is None else _softmax(query, key, full_bias, scaling)
    return _softmax(query, key, _bias(kept, heads, key.dtype), scaling), full, tuple(factors)


def _softmax(query: Tensor, key: Tensor, bias: Tensor, scaling: float) -> Tensor:
    scores = torch.baddbmm(bias, query, key.transpose(1, 2), alpha=scaling)
    if scores.shape[-1] * scores.element_size() % VECTOR_BYTES == 0:  # the same, in one pass; slower for other lengths
        return torch.softmax(scores, -1)
    return torch.softmax(scores, -1, dtype=torch.float32).to(key.dtype)


def _spread(mask: Tensor, asking: int) -> Tensor:
    """A mask over queries cut to those that ask: [B, H, 1 or Q, L]."""
    return mask if mask.shape[2] <= asking else mask[:, :, :asking]


def _bias(kept: Tensor, heads: int, dtype: torch.dtype) -> Tensor:
    rows, _, asking, length = kept.shape
    return bias_of(kept, dtype).expand(rows, heads, asking, length).reshape(rows * heads, asking, length)


def _open_bias(group: Group, layout: Layout, heads: int, dtype: torch.dtype) -> Tensor:
    name = f"bias {group.start} {heads} {dtype}"
    found = layout.cache.get(name)
    if not isinstance(found, Tensor):
        found = layout.cache[name] = _bias(group.visible, heads, dtype)
    return found
