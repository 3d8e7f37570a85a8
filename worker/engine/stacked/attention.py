"""The attention function that stock modules call for all lanes: length groups, explicit weights, forward and back."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from worker.engine.hooks import AttentionLayer
from worker.engine.stacked.drops import AttentionPart, StackPass
from worker.engine.stacked.layout import LaneGroup, LaneLayout

NAME = "dropscope_stacked"


def stacked_attention(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_: object,
) -> tuple[Tensor, None]:
    """Attention within each lane: query [A, Hq, N, D], key and value [A, Hkv, N, D], to [A, N, Hq, D]."""
    layer: AttentionLayer[StackPass] = AttentionLayer.of(module)
    layout, drops = layer.state.layout, layer.state.drops
    assert layout is not None  # the host sets it before every pass
    heads, size = query.shape[1], query.shape[3]
    asked = []
    for group in layout.groups:
        visible = _visible(layout, group, layer.causal, sliding_window)
        parts = [] if drops is None else drops.attention(layer.number, heads, layer.native_rate, group, visible)
        asked.append(_Group(group, visible, parts))
    output: Tensor = _LaneAttention.apply(  # type: ignore[no-untyped-call]  # torch ships it without types
        query, key, value, layout, asked, size**-0.5 if scaling is None else scaling
    )
    return output, None


@dataclass(frozen=True)
class _Group:
    """A group with what may be seen in it, [R or 1, 1 or L, L], and what its lanes drop."""

    about: LaneGroup
    visible: Tensor
    parts: Sequence[AttentionPart]


@dataclass(frozen=True)
class _Saved:
    """What the way back needs of one group: n = A·H·R."""

    query: Tensor  # [n, L, D]
    key: Tensor
    value: Tensor
    weights: Tensor  # [n, L, L], the softmax
    used: Tensor  # what multiplied the values
    full: dict[int, Tensor]  # by number of the part: the softmax without drops


class _LaneAttention(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        query: Tensor,
        key: Tensor,
        value: Tensor,
        layout: LaneLayout,
        groups: Sequence[_Group],
        scaling: float,
    ) -> Tensor:
        lanes, heads, _, size = query.shape
        outputs, saved = [], []
        for group in groups:
            one = _forward_group(query, key, value, group, scaling)
            outputs.append(torch.bmm(one.used, one.value).view(lanes, heads, -1, size))
            saved.append(one)
        joined = outputs[0] if len(outputs) == 1 else torch.cat(outputs, 2)
        ctx.layout, ctx.groups, ctx.scaling, ctx.saved, ctx.shared = layout, groups, scaling, saved, key.shape[1]
        return joined.transpose(1, 2).index_select(1, layout.to_packed)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        back: list[list[Tensor]] = [[], [], []]
        by_head = grads[0].transpose(1, 2)
        for group, saved in zip(ctx.groups, ctx.saved, strict=True):
            for into, grad in zip(back, _backward_group(by_head, group, saved, ctx.scaling, ctx.shared), strict=True):
                into.append(grad)
        del ctx.saved
        found = (
            (parts[0] if len(parts) == 1 else torch.cat(parts, 2)).index_select(2, ctx.layout.to_packed)
            for parts in back
        )
        return (*found, None, None, None)


def _gathered(x: Tensor, group: LaneGroup, heads: int) -> Tensor:
    """The places of a group of x [A, H', N, D] as [A·H·R, L, D]; shared key heads are repeated."""
    found = x.index_select(2, group.tokens)
    if x.shape[1] != heads:
        found = found.repeat_interleave(heads // x.shape[1], 1)
    return found.view(-1, group.length, x.shape[3])


def _forward_group(query: Tensor, key: Tensor, value: Tensor, group: _Group, scaling: float) -> _Saved:
    lanes, heads = query.shape[:2]
    about = group.about
    q, k, v = (_gathered(x, about, heads) for x in (query, key, value))
    scores = torch.baddbmm(q.new_zeros(()), q, k.transpose(1, 2), beta=0, alpha=scaling)
    by_lane = scores.view(lanes, heads, about.rows, about.length, about.length)
    by_lane.masked_fill_(~group.visible, -torch.inf)
    full: dict[int, Tensor] = {}
    for at, part in enumerate(group.parts):
        own = by_lane[part.start : part.stop]
        if part.before is not None:
            full[at] = torch.softmax(own.masked_fill(~part.before, -torch.inf), -1)
        if part.kept is not None:
            own.masked_fill_(~part.kept, -torch.inf)
    weights = torch.softmax(scores, -1)
    used = weights
    if any(part.factors for part in group.parts):
        used = weights.clone()
        _apply_factors(used.view(by_lane.shape), group)
    return _Saved(q, k, v, weights, used, full)


def _backward_group(
    grad: Tensor, group: _Group, saved: _Saved, scaling: float, key_heads: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Gradients of query, key and value at the places of a group, each [A, H', R·L, D], from grad [A, H, N, D]."""
    lanes, heads, _, size = grad.shape
    about = group.about
    out = _gathered(grad, about, heads)
    to_value = torch.bmm(saved.used.transpose(1, 2), out)
    back = torch.bmm(out, saved.value.transpose(1, 2))
    by_lane = back.view(lanes, heads, about.rows, about.length, about.length)
    _apply_factors(by_lane, group)
    scores = torch._softmax_backward_data(back, saved.weights, -1, saved.weights.dtype)
    for at, full in saved.full.items():  # arXiv 2403.00812 Eq. 8-9: the normaliser is a constant
        part = group.parts[at]
        weighted = saved.weights.view(by_lane.shape)[part.start : part.stop] * by_lane[part.start : part.stop]
        scores.view(by_lane.shape)[part.start : part.stop] = weighted - full * weighted.sum(-1, keepdim=True)
    to_query = torch.bmm(scores, saved.key).mul_(scaling)
    to_key = torch.bmm(scores.transpose(1, 2), saved.query).mul_(scaling)
    return (
        to_query.view(lanes, heads, -1, size),
        _summed(to_key.view(lanes, heads, -1, size), key_heads),
        _summed(to_value.view(lanes, heads, -1, size), key_heads),
    )


def _apply_factors(weights: Tensor, group: _Group) -> None:
    for part in group.parts:
        for factor in part.factors:
            factor.apply_(weights)


def _summed(grad: Tensor, key_heads: int) -> Tensor:
    """Sum the gradients of repeated heads, [A, H, P, D] to [A, H', P, D]."""
    if grad.shape[1] == key_heads:
        return grad
    return grad.view(grad.shape[0], key_heads, -1, *grad.shape[2:]).sum(2)


def _visible(layout: LaneLayout, group: LaneGroup, causal: bool, window: int | None) -> Tensor:
    """What may be seen: real keys, or for a decoder earlier ones, which for a real token are real."""
    name = f"visible {id(group)} {causal} {window}"
    found = layout.cache.get(name)
    if isinstance(found, Tensor):
        return found
    place = torch.arange(group.length, device=group.real.device)
    distance = (place[:, None] - place[None, :])[None]
    visible = distance >= 0 if causal else group.real[:, None, :]
    if window:
        visible = visible & (distance.abs() < window) | (distance == 0)  # no query may be left without a key
    layout.cache[name] = visible
    return visible
