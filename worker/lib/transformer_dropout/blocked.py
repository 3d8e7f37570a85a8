"""Attention with dropped weights on a CPU, a few rows of the batch at a time, so that the matrices stay in the cache.

Numerically `functional.attention(..., weight_keep=keep, rescale="inverted")`. Torch has no fused kernel on a CPU that
drops weights, and its dropout draws 7 ns an element; whole matrices `[B, H, Q, K]` cost more to move than to compute.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from .functional import as_bits, group_size

# Elements of one block of logits: 1 MiB in float32, what a core's second-level cache holds.
_BLOCK = 1 << 18


def dropped_attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    keep: torch.Tensor,
    rate: float,
    visible: torch.Tensor | None,
    scaling: float,
) -> torch.Tensor:
    """Return the output `[B, Hq, Q, D]` of attention whose weights are multiplied by `keep / (1 - rate)`.

    query `[B, Hq, Q, D]`, key and value `[B, Hkv, K, D]`, keep `[B, Hq, Q or 1, K]` bool.  visible: bool,
    broadcastable to `[B, 1, Q, K]`, or None.  Queries that see no key give 0. Raises ShapeError.
    """
    group_size(query, key)
    if not query.dtype == key.dtype == value.dtype:  # under autocast rotary positions leave queries and keys in float32
        kind = torch.promote_types(torch.promote_types(query.dtype, key.dtype), value.dtype)
        kind = torch.get_autocast_dtype("cpu") if torch.is_autocast_enabled("cpu") else kind
        query, key, value = query.to(kind), key.to(kind), value.to(kind)
    bias = None
    if visible is not None:
        sees = visible.any(-1, keepdim=True)
        if not bool(sees.all()):
            keep = keep & sees
            visible = visible | ~sees
        bias = torch.zeros(visible.shape, dtype=query.dtype).masked_fill_(~visible, -torch.inf)
    out: torch.Tensor = _Dropped.apply(query, key, value, bias, keep, scaling, 1.0 / (1.0 - rate))  # type: ignore[no-untyped-call]  # torch ships it without types
    return out


class _Dropped(torch.autograd.Function):
    """Softmax, dropped weights and their product with the values; the weights are computed again in backward."""

    @staticmethod
    def forward(
        ctx: Any,
        query: torch.Tensor,
        key: torch.Tensor,
        value: torch.Tensor,
        bias: torch.Tensor | None,
        keep: torch.Tensor,
        scaling: float,
        scale: float,
    ) -> torch.Tensor:
        out = torch.empty_like(query, memory_format=torch.contiguous_format)
        space = _Space(query, key)
        with torch.autocast("cpu", enabled=False):
            for rows in space.blocks:
                weights = space.weights(query[rows], key[rows], _rows_of(bias, rows), scaling)
                dropped = space.dropped(weights, keep[rows])
                out[rows] = torch.matmul(_by_key_head(dropped, key), value[rows]).view(query[rows].shape).mul_(scale)
        ctx.save_for_backward(query, key, value, bias, keep, out)
        ctx.numbers = scaling, scale
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor | None, ...]:
        query, key, value, bias, keep, out = ctx.saved_tensors
        scaling, scale = ctx.numbers
        space = _Space(query, key)
        to_query, to_key, to_value = (torch.empty_like(x) for x in (query, key, value))
        for rows in space.blocks:
            q, k, v = query[rows], key[rows], value[rows]
            weights = space.weights(q, k, _rows_of(bias, rows), scaling)
            dropped = space.dropped(weights, keep[rows])
            back = _by_key_head(grads[0][rows] * scale, key)
            mean = (grads[0][rows] * out[rows]).to(weights.dtype).sum(-1, keepdim=True)  # a = <w', gbar>
            to_value[rows] = torch.matmul(_by_key_head(dropped, key).transpose(2, 3), back)
            to_weights = space.product(back, v.transpose(2, 3)).view(weights.shape)
            # w (m gbar / (1 - p) - a)
            to_logits = weights.mul_(mean.neg_()).addcmul_(dropped, to_weights).to(q.dtype)
            to_logits = _by_key_head(to_logits, key)
            to_query[rows] = torch.matmul(to_logits, k).view(q.shape).mul_(scaling)
            to_key[rows] = torch.matmul(to_logits.transpose(2, 3), _by_key_head(q, key)).mul_(scaling)
        return to_query, to_key, to_value, None, None, None, None


class _Space:
    """The blocks of rows, and the memory that every block uses again: fresh pages cost as much as the products."""

    def __init__(self, query: torch.Tensor, key: torch.Tensor) -> None:
        batch, heads, queries, _ = query.shape
        keys = key.shape[2]
        step = max(1, _BLOCK // max(1, heads * queries * keys))
        self.blocks = [slice(start, min(start + step, batch)) for start in range(0, batch, step)]
        self.shape = (heads, queries, keys)
        size = min(step, batch) * heads * queries * keys
        kind = torch.float32 if query.element_size() < 4 else query.dtype
        self.logits, self.kept = query.new_empty(size), query.new_empty(size)
        self.probabilities = query.new_empty(size, dtype=kind)

    def product(self, left: torch.Tensor, right: torch.Tensor) -> torch.Tensor:
        """left `[B', Hkv, N, D]` times right `[B', Hkv, D, K]`, in the memory of logits."""
        batch, heads, count, _ = left.shape
        out = self.logits[: batch * heads * count * right.shape[3]].view(batch * heads, count, right.shape[3])
        return torch.bmm(left.flatten(0, 1), right.flatten(0, 1), out=out)

    def weights(
        self, query: torch.Tensor, key: torch.Tensor, bias: torch.Tensor | None, scaling: float
    ) -> torch.Tensor:
        """Softmax weights of a block, `[B', Hq, Q, K]`, in float32 at least."""
        shape = (query.shape[0], *self.shape)
        logits = self.product(_by_key_head(query, key) * scaling, key.transpose(2, 3)).view(shape)
        if bias is not None:
            logits += bias
        out = self.probabilities[: logits.numel()].view(shape)
        return torch.softmax(logits, -1, dtype=out.dtype, out=out)

    def dropped(self, weights: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
        """The kept weights of a block in the values' dtype."""
        out = self.kept[: weights.numel()].view(weights.shape)
        return as_bits(out.copy_(weights), keep)


def _rows_of(bias: torch.Tensor | None, rows: slice) -> torch.Tensor | None:
    return bias if bias is None or bias.shape[0] == 1 else bias[rows]


def _by_key_head(x: torch.Tensor, key: torch.Tensor) -> torch.Tensor:
    """View `[B, Hq, Q, E]` as `[B, Hkv, Hq / Hkv Q, E]`: the queries that share a key head, one behind the other."""
    heads = key.shape[1]
    return x if heads == x.shape[1] else x.reshape(x.shape[0], heads, -1, x.shape[3])
