"""Keep-masks of several lanes at once: what `transformer_dropout.masks` draws, held against each lane's own rate.

G lanes, N tokens with dummies, F features, H heads; what dummies get is of no importance. True means kept.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformer_dropout.masks.spans import LENGTH_STREAM
from transformer_dropout.masks.vectors import PLACE_SHIFT
from transformer_dropout.spec import Site

from worker.engine.stacked.drop_plan import Span
from worker.engine.stacked.layout import LaneGroup, LaneLayout
from worker.engine.stacked.random_bits import Bits

TOGETHER = 1 << 26  # numbers that may be made at once, 128 MB of them


@dataclass(frozen=True)
class Drawn:
    """The numbers of one pass in one layer, of those `layers` that are made together."""

    bits: Bits
    layer: int
    layers: tuple[int, ...]

    def numbers(self, stream: int, count: int) -> Tensor:
        """[count] int16."""
        layers = self.layers if len(self.layers) * count <= TOGETHER else (self.layer,)
        return self.bits.numbers(stream, layers, count)[layers.index(self.layer)]

    def uniform(self, stream: int, count: int) -> Tensor:
        """[count] float64."""
        return self.bits.uniform(stream, self.layers, count)[self.layers.index(self.layer)]


def vector_keep(
    kind: Site, span: Span, drawn: Drawn, layout: LaneLayout, features: int, place: int = 0
) -> tuple[Tensor, Tensor | None]:
    """Keep [G, N, F or 1] and scale [G, 1 or N, 1] (None for 1) of a hidden, input or adapter site."""
    tokens, stream = layout.tokens, kind.stream
    scale = None if span.scales is None else span.shaped(span.scales, 3)
    if kind.structure == "element":
        numbers = drawn.numbers(stream | place << PLACE_SHIFT, tokens * features).view(1, tokens, features)
        keep = numbers >= span.shaped(span.thresholds, 3)
    elif kind.structure == "span":
        lengths, starts = _places(kind, span, drawn, layout.sizes, 1)
        keep = _outside(lengths, starts, layout)
        if kind.rescale == "normalized":
            scale = _span_scale(lengths, layout)
    elif kind.axis == "feature":
        by_row = drawn.numbers(stream, layout.rows * features).view(layout.rows, features)
        keep = by_row.index_select(0, layout.row_of)[None] >= span.shaped(span.thresholds, 3)
    else:
        keep = _token_keep(kind, span, drawn, layout, 1)
    return (_keep_first(keep, layout) if kind.keep_first else keep), scale


def rank_keep(
    kind: Site, span: Span, drawn: Drawn, layout: LaneLayout, ranks: Tensor, widest: int, place: int
) -> tuple[Tensor, Tensor | None]:
    """Keep [G, N, R] and scale of an adapter's inner vector: each lane counts its numbers by its own rank.

    ranks: int64 [A] of all lanes.  widest: R.
    """
    numbers = drawn.numbers(kind.stream | place << PLACE_SHIFT, layout.tokens * widest)
    size = ranks[span.start : span.stop].view(-1, 1, 1)
    token = torch.arange(layout.tokens, device=numbers.device).view(1, -1, 1)
    inner = torch.arange(widest, device=numbers.device).view(1, 1, -1)
    index = token * size + torch.minimum(inner, size - 1)
    keep = numbers[index] >= span.shaped(span.thresholds, 3)
    return keep, None if span.scales is None else span.shaped(span.scales, 3)


def attention_keep(kind: Site, span: Span, drawn: Drawn, layout: LaneLayout, group: LaneGroup, heads: int) -> Tensor:
    """Keep [G, H, R, 1 or L, L] of an attention site over one group of rows; what is no token is kept."""
    if kind.structure == "span" and kind.per_row:
        keep = _pair_spans(kind, span, drawn, layout, group, heads)
    elif kind.structure == "element":
        keep = pair_keep(kind.stream, span, drawn, layout, group, heads)
    else:
        draw = _token_keep if kind.structure == "column" else _span_keep
        found = draw(kind, span, drawn, layout, heads)
        if kind.keep_first:
            found = _keep_first(found, layout)
        keep = _by_group(found, group)[:, :, :, None, :] | ~group.real[:, None, :]
    if kind.keep_first and keep.shape[3] > 1:
        keep[..., 0] = True
    if kind.keep_diagonal:
        keep = keep | torch.eye(group.length, dtype=torch.bool, device=keep.device)
    return keep


def pair_keep(stream: int, span: Span, drawn: Drawn, layout: LaneLayout, group: LaneGroup, heads: int) -> Tensor:
    """Keep [G, H, R, L, L] of single query-key pairs, whose numbers lie row after row as [H, n, n]."""
    numbers = drawn.numbers(stream, heads * layout.pairs)
    name = f"pairs {id(group)} {heads}"
    index = layout.cache.get(name)
    if not isinstance(index, Tensor):
        index = layout.cache[name] = _pair_index(group, heads)
    keep = numbers[index][None] >= span.shaped(span.thresholds, 5)
    return keep | ~_pairs_real(group)


def head_keep(kind: Site, span: Span, drawn: Drawn, rows: int, features: int) -> tuple[Tensor, Tensor | None]:
    """Keep [G, B, F] and scale of an output site whose head reads one vector a row."""
    numbers = drawn.numbers(kind.stream, rows * features).view(1, rows, features)
    scale = None if span.scales is None else span.shaped(span.scales, 3)
    return numbers >= span.shaped(span.thresholds, 3), scale


def _token_keep(kind: Site, span: Span, drawn: Drawn, layout: LaneLayout, columns: int) -> Tensor:
    numbers = drawn.numbers(kind.stream, layout.tokens * columns).view(layout.tokens, columns)
    if kind.window > 1:
        token = torch.arange(layout.tokens, device=numbers.device)
        numbers = numbers.index_select(0, token - layout.place_of % kind.window)
    return numbers[None] >= span.shaped(span.thresholds, 3)


def _span_keep(kind: Site, span: Span, drawn: Drawn, layout: LaneLayout, columns: int) -> Tensor:
    return _outside(*_places(kind, span, drawn, layout.sizes, columns), layout)


def _places(kind: Site, span: Span, drawn: Drawn, sizes: Tensor, columns: int) -> tuple[Tensor, Tensor]:
    """Lengths and first places of runs in rows of `sizes` [B] tokens, both [G, B, columns] int64."""
    count = sizes.shape[0]
    size = sizes.view(1, -1, 1).double()
    exact = span.shaped(span.rates, 3) * size + 1e-9
    if kind.span_length == "stochastic":
        above = drawn.uniform(kind.stream | LENGTH_STREAM, count * columns).view(1, count, columns)
        lengths = (exact + above).floor()
    else:
        lengths = exact.floor().clamp(min=1).expand(-1, -1, columns)
    lengths = torch.minimum(lengths, size)
    starts = drawn.uniform(kind.stream, count * columns).view(1, count, columns) * (size - lengths + 1)
    return lengths.long(), starts.long()


def _outside(lengths: Tensor, starts: Tensor, layout: LaneLayout) -> Tensor:
    inside = layout.place_of.view(1, -1, 1) - starts.index_select(1, layout.row_of)
    return (inside < 0) | (inside >= lengths.index_select(1, layout.row_of))


def _span_scale(lengths: Tensor, layout: LaneLayout) -> Tensor:
    sizes = layout.sizes.float()
    left = sizes - lengths[:, :, 0]
    by_row = torch.where(left > 0, sizes / left.clamp(min=1), 1.0)
    return by_row.index_select(1, layout.row_of)[:, :, None]


def _keep_first(keep: Tensor, layout: LaneLayout) -> Tensor:
    return keep | (layout.place_of == 0).view(1, -1, 1)


def _by_group(values: Tensor, group: LaneGroup) -> Tensor:
    """Values of tokens [G, N, H] at the places of a group, [G, H, R, L]."""
    found = values.index_select(1, group.tokens)
    return found.view(found.shape[0], group.rows, group.length, -1).permute(0, 3, 1, 2)


def _pair_index(group: LaneGroup, heads: int) -> Tensor:
    place = torch.arange(group.length, device=group.sizes.device)
    size = group.sizes.view(1, -1, 1, 1)
    head = torch.arange(heads, device=place.device).view(-1, 1, 1, 1)
    index = heads * group.pair_starts.view(1, -1, 1, 1) + head * size * size + place[:, None] * size + place[None, :]
    return torch.where(_pairs_real(group), index, 0)


def _pairs_real(group: LaneGroup) -> Tensor:
    return group.real[:, :, None] & group.real[:, None, :]


def _pair_spans(kind: Site, span: Span, drawn: Drawn, layout: LaneLayout, group: LaneGroup, heads: int) -> Tensor:
    of_query = layout.sizes.index_select(0, layout.row_of)
    found = _places(kind, span, drawn, of_query, heads)
    lengths, starts = (_by_group(values, group)[..., None] for values in found)  # [G, H, R, L, 1]
    inside = torch.arange(group.length, device=starts.device) - starts
    return (inside < 0) | (inside >= lengths) | ~_pairs_real(group)
