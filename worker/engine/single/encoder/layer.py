"""One BERT-type layer (post-norm, arXiv 1810.04805) forward and back: over all N tokens, the last over R first ones."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from transformer_dropout.masks import VectorKeep

from worker.engine.packing import Layout
from worker.engine.pass_state import Adapter
from worker.engine.single.drops import Drops
from worker.engine.single.encoder import adapters as lora
from worker.engine.single.encoder import attention
from worker.engine.single.encoder.drops import Mask, dropped, mask_of, plus_dropped
from worker.engine.single.encoder.heads import head_order
from worker.engine.single.encoder.weights import ATTENTION_OUT, FFN_IN, FFN_OUT, KEY, QKV, QUERY, LayerWeights, Norm


@dataclass(frozen=True)
class Pass:
    """What all layers of one pass share."""

    layout: Layout
    heads: int
    adapters: Sequence[Adapter]
    drops: Drops | None
    keep: bool = True  # whether there is a way back


@dataclass(frozen=True)
class SavedNorm:
    """Input [M, E] of a layer norm and its row statistics."""

    x: Tensor
    mean: Tensor
    rstd: Tensor


@dataclass(frozen=True)
class SavedLayer:
    """What the way back needs of one layer."""

    groups: list[attention.SavedGroup]
    adapters: dict[str, lora.SavedAdapter]
    drops: tuple[tuple[Mask, ...], tuple[Mask, ...], tuple[Mask, ...]]
    norms: tuple[SavedNorm, SavedNorm]
    inner: Tensor  # before the activation, [M, F], if there is a way back
    rows: Tensor | None  # the first tokens, where only they were passed on
    by_group: Tensor | None  # the same rows of heads, ordered by group


def forward(
    at: int, layer: LayerWeights, x: Tensor, base: Tensor | None, about: Pass, last: bool
) -> tuple[Tensor, SavedLayer]:
    """Layer number `at` from x [N, E] to [N, E], or [R, E] where `last`; base: x's product with qkv, if known."""
    rows = about.layout.first if last else None
    kept: dict[str, lora.SavedAdapter] = {}

    def adapted(y: Tensor, path: str, read: Tensor, of: Tensor | None) -> None:
        if path in layer.targets:
            kept[path] = lora.add(y, read, layer.targets[path], about.adapters, about.drops, of)

    width = x.shape[1]
    size = width // about.heads
    order = head_order(about.layout, about.heads, 2 if last else 3)
    drops = None if about.drops is None else about.drops.attention(at, about.heads, layer.native_attention)
    by_group = None
    if last:
        first = x.index_select(0, about.layout.first)
        query = layer.query(first)
        adapted(query, QUERY, first, rows)
        known = layer.known(x)
        for part, path in enumerate((KEY, QKV[2])):
            adapted(known[:, part * width : (part + 1) * width], path, x, None)
        by_group = _by_group(about.layout)
        asked = query.index_select(0, by_group).view(-1, size)
        padded_key, padded_value = known.view(-1, size).index_select(0, order.parts_out).view(2, -1, size)
    else:
        first = x
        known = layer.qkv(x) if base is None else base.clone()
        for part, path in enumerate(QKV):
            adapted(known[:, part * width : (part + 1) * width], path, x, None)
        asked, padded_key, padded_value = known.view(-1, size).index_select(0, order.parts_out).view(3, -1, size)
    mixed, groups = attention.forward(asked, padded_key, padded_value, about.layout, about.heads, size**-0.5, drops)
    if by_group is not None:
        joined = torch.empty_like(first).index_copy_(0, by_group, mixed.view(-1, width))
    else:
        joined = mixed.index_select(0, order.back).view(-1, width)
    y = layer.out(joined)
    adapted(y, ATTENTION_OUT, joined, rows)
    out_drops, inner_drops, outer_drops = _drops(at, layer, about, rows)
    middle, norm1 = _norm(plus_dropped(first, y, out_drops), layer.norms[0])
    if about.keep or FFN_IN in layer.targets:
        inner = layer.inner(middle)
        adapted(inner, FFN_IN, middle, rows)
        active = torch.nn.functional.gelu(inner)
    else:
        active = inner = layer.inner.gelu(middle)
    active = dropped(active, inner_drops)
    z = layer.outer(active)
    adapted(z, FFN_OUT, active, rows)
    result, norm2 = _norm(plus_dropped(middle, z, outer_drops), layer.norms[1])
    return result, SavedLayer(
        groups, kept, (out_drops, inner_drops, outer_drops), (norm1, norm2), inner, rows, by_group
    )


def backward(
    grad: Tensor, layer: LayerWeights, saved: SavedLayer, about: Pass, gradients: lora.Gradients, lowest: bool
) -> Tensor | None:
    """From the gradient of the layer's result to that of x, [N, E]; None where the layer is the `lowest` trained."""

    def adapted(through: Tensor, path: str, into: Tensor | None) -> None:
        if path in saved.adapters:
            lora.back(through, saved.adapters[path], about.adapters, gradients, into)

    out_drops, inner_drops, outer_drops = saved.drops
    rest = _norm_back(grad, saved.norms[1], layer.norms[1])
    through = dropped(rest, outer_drops)
    back = layer.outer.back(through)
    adapted(through, FFN_OUT, back)
    back = torch.ops.aten.gelu_backward(dropped(back, inner_drops), saved.inner)
    rest = layer.inner.back(back, rest)
    adapted(back, FFN_IN, rest)
    rest = _norm_back(rest, saved.norms[0], layer.norms[0])
    through = dropped(rest, out_drops)
    back = layer.out.back(through)
    adapted(through, ATTENTION_OUT, back)
    if lowest and not any(path in saved.adapters for path in QKV):
        return None
    return _attention_back(back, rest, layer, saved, about, gradients, lowest)


def _attention_back(
    back: Tensor,
    rest: Tensor,
    layer: LayerWeights,
    saved: SavedLayer,
    about: Pass,
    gradients: lora.Gradients,
    lowest: bool,
) -> Tensor | None:
    """From the gradients of the attention's output and of the residual to that of x."""
    width = back.shape[1]
    size = width // about.heads
    order = head_order(about.layout, about.heads, 2 if saved.rows is not None else 3)
    if saved.rows is None or saved.by_group is None:
        padded = back.new_empty((3, order.padded, size))
        asked = back.view(-1, size).index_select(0, order.out)
        attention.backward(asked, saved.groups, size**-0.5, padded[0], padded[1], padded[2])
        known = padded.view(-1, size).index_select(0, order.parts_back).view(-1, 3 * width)
        into = None if lowest else layer.qkv.back(known, rest)
        for part, path in enumerate(QKV):
            if path in saved.adapters:
                span = known[:, part * width : (part + 1) * width]
                lora.back(span, saved.adapters[path], about.adapters, gradients, into)
        return into
    padded = back.new_empty((2, order.padded, size))
    asked = back.index_select(0, saved.by_group).view(-1, size)
    to_query = torch.empty_like(asked)
    attention.backward(asked, saved.groups, size**-0.5, to_query, padded[0], padded[1])
    query = torch.empty_like(back).index_copy_(0, saved.by_group, to_query.view(-1, width))
    known = padded.view(-1, size).index_select(0, order.parts_back).view(-1, 2 * width)
    into = None if lowest else layer.known.back(known)
    for part, path in enumerate((KEY, QKV[2])):
        if path in saved.adapters:
            span = known[:, part * width : (part + 1) * width]
            lora.back(span, saved.adapters[path], about.adapters, gradients, into)
    first = None if into is None else layer.query.back(query, rest)
    if QUERY in saved.adapters:
        lora.back(query, saved.adapters[QUERY], about.adapters, gradients, first)
    if into is not None and first is not None:
        into.index_add_(0, saved.rows, first)
    return into


def _drops(
    at: int, layer: LayerWeights, about: Pass, rows: Tensor | None
) -> tuple[tuple[Mask, ...], tuple[Mask, ...], tuple[Mask, ...]]:
    """What is dropped from the attention block's output, the activation and the feed-forward output."""
    drops = about.drops
    if drops is None:
        return (), (), ()
    tokens, width, inner = about.layout.tokens, layer.out.weight.shape[0], layer.inner.weight.shape[0]
    out: list[VectorKeep] = []
    outer = list(drops.hidden("ffn_output", at, width))
    for native, keeps in ((layer.native_out, out), (layer.native_outer, outer)):
        if drops.native and native is not None:
            keeps.append(drops.native_vector(native.ordinal, native.rate, tokens, width))
    found = (out, drops.hidden("ffn_inner", at, inner), outer)
    count = tokens if rows is None else len(rows)
    a, b, c = (tuple(mask_of(keep, rows, count, layer.out.weight.dtype) for keep in keeps) for keeps in found)
    return a, b, c


def _norm(x: Tensor, norm: Norm) -> tuple[Tensor, SavedNorm]:
    y, mean, rstd = torch.native_layer_norm(x, [x.shape[1]], norm.weight, norm.bias, norm.eps)
    return y, SavedNorm(x, mean, rstd)


def _norm_back(grad: Tensor, saved: SavedNorm, norm: Norm) -> Tensor:
    found: Tensor = torch.ops.aten.native_layer_norm_backward(
        grad, saved.x, [saved.x.shape[1]], saved.mean, saved.rstd, norm.weight, norm.bias, [True, False, False]
    )[0]
    return found


def _by_group(layout: Layout) -> Tensor:
    """Numbers of the rows in the order of the groups."""
    found = layout.cache.get("rows by group")
    if not isinstance(found, Tensor):
        found = torch.tensor([row for group in layout.groups for row in group.rows])
        layout.cache["rows by group"] = found
    return found
