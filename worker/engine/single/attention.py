"""The attention function that stock transformers modules call: length groups of a packed sequence, with dropped keys.

Causality and padding are built here, per group, so no mask comes from outside.
"""

from typing import Any

import torch
from torch import Tensor, nn
from transformer_dropout.functional import attention_weights, drop_hidden, rescued

from worker.engine.hooks import AttentionLayer
from worker.engine.packing import Group, Layout
from worker.engine.single.drops import AttentionDrops, SinglePass

NAME = "dropscope_packed"


class Regroup(torch.autograd.Function):
    """Rows of x [n, F] in another order, [m, F]. Every gradient that matters comes back by the opposite order.

    Right because each real token has one place in either layout and nothing else carries a gradient.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, order: Tensor, back: Tensor) -> Tensor:
        """order [m]: which row of x comes where; back [n]: the opposite."""
        ctx.save_for_backward(back)
        return x.index_select(0, order)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None, None]:
        """Gradient of x."""
        (back,) = ctx.saved_tensors
        return grads[0].index_select(0, back), None, None


def packed_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    softcap: float | None = None,
    sliding_window: int | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attention over one packed sequence: query [1, Hq, N, D], key and value [1, Hkv, N, D], to [1, N, Hq, D]."""
    layer: AttentionLayer[SinglePass] = AttentionLayer.of(module)
    layout = layer.state.layout
    assert layout is not None  # the host sets it before every pass
    heads, size = query.shape[1], query.shape[3]
    dropping = layer.state.drops
    drops = None if dropping is None else dropping.attention(layer.number, heads, layer.native_rate)
    q, k, v = (_padded(x, layout) for x in (query, key, value))
    scale = size**-0.5 if scaling is None else scaling
    outputs = []
    for group in layout.groups:
        span = slice(group.start, group.stop)
        shape = (len(group.rows), group.length, -1, size)
        output = _one_group(
            *(x[span].view(shape).transpose(1, 2) for x in (q, k, v)),
            group=group,
            visible=_visible(layout, group, layer.causal, sliding_window),
            drops=drops,
            scaling=scale,
            softcap=softcap,
        )
        outputs.append(output.transpose(1, 2).reshape(-1, heads * size))
    joined = outputs[0] if len(outputs) == 1 else torch.cat(outputs)
    packed: Tensor = Regroup.apply(joined, layout.to_packed, layout.to_padded)  # type: ignore[no-untyped-call]
    return packed.view(1, layout.tokens, heads, size), None


def _padded(x: Tensor, layout: Layout) -> Tensor:
    flat = x[0].transpose(0, 1).reshape(layout.tokens, -1)
    found: Tensor = Regroup.apply(flat, layout.to_padded, layout.to_packed)  # type: ignore[no-untyped-call]
    return found


def _one_group(
    query: Tensor,
    key: Tensor,
    value: Tensor,
    *,
    group: Group,
    visible: Tensor,
    drops: AttentionDrops | None,
    scaling: float,
    softcap: float | None,
) -> Tensor:
    """Attention of one group: query [B, Hq, L, D], key and value [B, Hkv, L, D], to [B, Hq, L, D]."""
    batch, heads, length, size = query.shape
    shared = heads // key.shape[1]
    grouped = (query * scaling).reshape(batch, heads // shared, shared * length, size)
    scores = torch.matmul(grouped, key.transpose(2, 3)).view(batch, heads, length, length)
    if softcap is not None:
        scores = torch.tanh(scores / softcap) * softcap
    weights = _weights(scores, group, visible, drops).to(value.dtype)
    return torch.matmul(weights.view(batch, heads // shared, shared * length, length), value).view(query.shape)


def _weights(scores: Tensor, group: Group, visible: Tensor, drops: AttentionDrops | None) -> Tensor:
    """Weights [B, H, L, L] of logits: sites before the softmax, then sites after it, in order."""
    if drops is None:
        return attention_weights(scores, visible=visible)
    for keep in drops.logits:
        visible = rescued(keep.padded(group.rows, group.length), visible)
    if not drops.weights:
        return attention_weights(scores, visible=visible)
    first, *rest = drops.weights
    mask = first.keep.padded(group.rows, group.length)
    weights = attention_weights(scores, visible=visible, keep=mask, rescale=first.rescale, rate=first.rate)
    for drop in rest:  # the base model's own dropout, on top of a site
        weights = drop_hidden(weights, drop.keep.padded(group.rows, group.length), 1.0 / (1.0 - drop.rate))
    return weights


def _visible(layout: Layout, group: Group, causal: bool, window: int | None) -> Tensor:
    """Who may see whom in a group: bool [rows, 1, 1 or length, length], kept with the layout."""
    name = ("visible", group.start, causal, window)
    found = layout.cache.get(str(name))
    if isinstance(found, Tensor):
        return found
    visible = group.visible
    if causal or window:
        place = torch.arange(group.length)
        distance = place[:, None] - place[None, :]
        allowed = distance >= 0 if causal else torch.ones_like(distance, dtype=torch.bool)
        if window:
            allowed = allowed & (distance.abs() < window)
        visible = visible & allowed
    layout.cache[str(name)] = visible
    return visible
