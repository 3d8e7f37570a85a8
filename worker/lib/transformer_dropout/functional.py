"""The cells of the framework as pure functions on tensors: attention with dropped keys, and dropped vectors.

Shapes: B batch, Hq query heads, Hkv key heads, Q queries, K keys, D head size. Masks are bool, True means kept or
visible, and broadcast. The rescue rule: a query that would lose every key it sees keeps them all in this step, so
that no row is empty and nothing invisible is ever attended to.
"""

from typing import Any

import torch
from torch.autograd.function import once_differentiable

from transformer_dropout.errors import ShapeError

_MASKS = {2: torch.int16, 4: torch.int32, 8: torch.int64}


def attention(
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    *,
    scaling: float,
    visible: torch.Tensor | None = None,
    logit_keep: torch.Tensor | None = None,
    weight_keep: torch.Tensor | None = None,
    rescale: str = "normalized",
    rate: float = 0.0,
    softcap: float | None = None,
    dropout: float = 0.0,
    dropout_keep: torch.Tensor | None = None,
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the output `[B, Hq, Q, D]` of attention with an explicit attention matrix, and its weights `[B, Hq, Q,
    K]`.

    query `[B, Hq, Q, D]`, key and value `[B, Hkv, K, D]` before their heads are repeated.  visible: what padding and
    causality allow.  logit_keep: DropKey's mask, before the softmax.  weight_keep with `rescale` and `rate`:
    DropAttention's mask, after it.  softcap: bound the logits as Gemma 2 does.  dropout: the model's own dropout on
    the weights, after all else, by the mask `dropout_keep` or by torch's generator. The softmax runs in float32 for
    half-precision inputs; queries that see no key give 0. Raises ShapeError.
    """
    batch, heads, queries, _ = query.shape
    shared = group_size(query, key)
    scores = torch.matmul(query.reshape(batch, heads // shared, shared * queries, -1) * scaling, key.transpose(2, 3))
    scores = scores.view(batch, heads, queries, key.shape[2])
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    seen = visible if logit_keep is None else rescued(logit_keep, visible)
    weights = attention_weights(scores, visible=seen, keep=weight_keep, rescale=rescale, rate=rate).to(value.dtype)
    if dropout_keep is not None:
        weights = drop_hidden(weights, dropout_keep, 1.0 / (1.0 - dropout))
    elif dropout > 0.0:
        weights = torch.nn.functional.dropout(weights, dropout)
    grouped = weights.view(batch, heads // shared, shared * queries, -1)
    return torch.matmul(grouped, value).view(batch, heads, queries, -1), weights


def attention_weights(
    scores: torch.Tensor,
    *,
    visible: torch.Tensor | None,
    keep: torch.Tensor | None = None,
    rescale: str = "normalized",
    rate: float = 0.0,
) -> torch.Tensor:
    """Return attention weights `[B, H, Q, K]` of logits `scores`, in float32 at least.

    Without `keep`, a softmax over the visible keys. With it (arXiv 2403.00812 Eq. 1-2):
    'normalized' w m / sg(sum w m);  'normalized_grad' w m / sum w m;  'inverted' w m / (1 - rate);  'none' w m.
    """
    if keep is None:
        return _softmax(scores, visible)
    if rescale == "normalized_grad":
        return _softmax(scores, rescued(keep, visible))
    if rescale == "normalized":
        return _blank(_normalized(scores, rescued(keep, visible), visible), visible)
    scale = 1.0 / (1.0 - rate) if rescale == "inverted" else 1.0
    return _softmax(scores, visible) * keep * scale


def rescued(keep: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
    """Return `keep & visible`, but `visible` itself in rows that would be left without a key."""
    both = keep if visible is None else keep & visible
    left = both.any(-1, keepdim=True)
    fallback = torch.ones((), dtype=torch.bool, device=keep.device) if visible is None else visible
    return torch.where(left, both, fallback)


def drop_hidden(x: torch.Tensor, keep: torch.Tensor, scale: float | torch.Tensor = 1.0) -> torch.Tensor:
    """Return `x * keep * scale`, with exact zeros (in value and gradient) where dropped.

    `keep` broadcasts to `x`; `scale` is a number or broadcasts too.
    """
    if isinstance(scale, torch.Tensor):
        return torch.where(keep, x * scale.to(x.dtype), 0.0)
    if x.device.type == "cpu" and keep.shape == x.shape and x.element_size() in _MASKS:
        dropped: torch.Tensor = _DropBits.apply(x, keep, scale)  # type: ignore[no-untyped-call]  # torch ships it without types
        return dropped
    return x * (keep * scale).to(x.dtype)


def group_size(query: torch.Tensor, key: torch.Tensor) -> int:
    """Return how many query heads share a key head; raises ShapeError where query and key do not fit."""
    heads, key_heads = query.shape[1], key.shape[1]
    if heads % key_heads or query.shape[0] != key.shape[0] or query.shape[3] != key.shape[3]:
        raise ShapeError(
            f"query {tuple(query.shape)} and key {tuple(key.shape)} do not fit: "
            "batch and head size must agree, and query heads be a multiple of key heads"
        )
    return heads // key_heads


def _masked(scores: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
    """Return the softmax over the visible keys; rows without any are uniform and must be blanked by the caller."""
    dtype = torch.float32 if scores.element_size() < 4 else scores.dtype
    if visible is None:
        return torch.softmax(scores, -1, dtype=dtype)
    some = visible | ~visible.any(-1, keepdim=True)
    # Adding -inf needs no mask in backward (a weight of exactly 0 has a gradient of exactly 0) and broadcasts cheaply.
    bias = torch.zeros(some.shape, dtype=scores.dtype, device=scores.device).masked_fill_(~some, -torch.inf)
    return torch.softmax(scores + bias, -1, dtype=dtype)


def _blank(weights: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
    if visible is None:
        return weights
    sees = visible.any(-1, keepdim=True)
    return weights if visible.device.type == "cpu" and bool(sees.all()) else weights.masked_fill(~sees, 0.0)


def _softmax(scores: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
    return _blank(_masked(scores, visible), visible)


def _normalized(scores: torch.Tensor, kept: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
    weights: torch.Tensor = _StopGradientNormalized.apply(scores, kept, visible)  # type: ignore[no-untyped-call]  # as above
    return weights


class _StopGradientNormalized(torch.autograd.Function):
    """DropAttention with a detached normaliser.

    Forward: the masked softmax, which equals w m / sum(w m) and cannot underflow.  Backward: w' gbar - w a with
    a = <w', gbar>, so dropped logits receive -w a where DropKey gives 0 (arXiv 2403.00812 Eq. 8-9).
    """

    @staticmethod
    def forward(ctx: Any, scores: torch.Tensor, kept: torch.Tensor, visible: torch.Tensor | None) -> torch.Tensor:
        dropped = _masked(scores, kept)
        ctx.save_for_backward(dropped, _masked(scores, visible))
        ctx.dtype = scores.dtype
        return dropped

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        dropped, full = ctx.saved_tensors
        weighted = dropped * grads[0]
        back = weighted - full * weighted.sum(-1, keepdim=True)
        return back.to(ctx.dtype), None, None


class _DropBits(torch.autograd.Function):
    """x * keep * scale by a bitwise AND: on a CPU several times faster than a product of bfloat16 and bool."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, keep: torch.Tensor, scale: float) -> torch.Tensor:
        ctx.save_for_backward(keep)
        ctx.scale = scale
        return _and(x, keep, scale)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *grads: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        (keep,) = ctx.saved_tensors
        return _and(grads[0], keep, ctx.scale), None, None


def _and(x: torch.Tensor, keep: torch.Tensor, scale: float) -> torch.Tensor:
    if scale == 1.0:
        whole = _MASKS[x.element_size()]
        return (x.contiguous().view(whole) & keep.to(whole).neg_()).view(x.dtype)
    return as_bits((x * scale).contiguous(), keep)


def as_bits(x: torch.Tensor, keep: torch.Tensor) -> torch.Tensor:
    """Zero a contiguous `x` in place where `keep` (broadcastable) is False, and return it; not differentiable."""
    whole = _MASKS[x.element_size()]
    x.view(whole).bitwise_and_(keep.to(whole).neg_())
    return x
