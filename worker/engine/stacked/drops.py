"""What is dropped in one pass of all lanes, as the hooks in stock modules ask for it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from transformer_dropout.masks import NATIVE_ATTENTION_STREAM, NATIVE_STREAM, NOISE_STREAM
from transformer_dropout.spec import Site

from worker.engine.pass_state import LaneAdapters, PassState
from worker.engine.stacked import masks
from worker.engine.stacked.drop_plan import Plan, Span
from worker.engine.stacked.layout import LaneGroup, LaneLayout
from worker.engine.stacked.random_bits import HALF, Bits


@dataclass(frozen=True)
class Part:
    """A keep over the lanes from `start` up to `stop`: keep and scale broadcast over x[start:stop]."""

    start: int
    stop: int
    keep: Tensor
    scale: Tensor | None

    def apply_(self, x: Tensor) -> None:
        """Drop in x [A, ...], in place."""
        own = x[self.start : self.stop]
        own.mul_(self.keep)
        if self.scale is not None:
            own.mul_(self.scale)


def dropped(x: Tensor, parts: Sequence[Part]) -> Tensor:
    """x [A, ...] after all parts; also the gradient's way back."""
    if not parts:
        return x
    x = x.clone()
    for part in parts:
        part.apply_(x)
    return x


class DropLanes(torch.autograd.Function):
    """`dropped` as one node of the graph, which keeps nothing but the masks."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, parts: Sequence[Part]) -> Tensor:
        """x [A, ...]."""
        ctx.parts = parts
        return dropped(x, parts)

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor, None]:
        """Gradient of x."""
        return dropped(grads[0], ctx.parts), None


@dataclass(frozen=True)
class AttentionPart:
    """What lanes from `start` up to `stop` do in attention over one group of rows."""

    start: int
    stop: int
    kept: Tensor | None  # keys that may be seen, [G, H, R, 1 or L, L]; None: all that are visible
    before: Tensor | None  # the same without the dropped weights, where the normaliser gets no gradient
    factors: tuple[Part, ...]  # what multiplies the softmax


class StackDrops:
    """The dropout of one pass of A lanes: who drops what (`plan`), with which numbers (`bits`), over which tokens."""

    def __init__(
        self, plan: Plan, bits: Bits, layout: LaneLayout, layers: int, natives: int, places: Tensor | None
    ) -> None:
        """layers: of the model.  natives: its dropout modules.  places: which tokens the head reads, [U]; None where it
        reads one vector a row.
        """
        self.plan, self.native = plan, plan.native
        self.units = slice(None)  # the part of the batch that the head is reading
        self._bits, self._layout, self._layers, self._places = bits, layout, layers, places
        self._natives = tuple(range(natives))
        self._native_calls: dict[int, int] = {}
        self._reach: dict[Site, tuple[int, ...]] = {}
        self._kinds = {
            name: plan.kinds(name) for name in ("hidden", "input", "output", "adapter_input", "adapter_rank")
        }

    def adapter_input(self, layer: int, place: int, features: int) -> list[Part]:
        """What is dropped from the input of adapter number `place` of a layer."""
        return self._vectors(self._kinds["adapter_input"], layer, features, place)

    def adapter_rank(self, layer: int, place: int, widest: int) -> list[Part]:
        """What is dropped from the inner vector of adapter number `place` of a layer, padded to `widest`."""
        parts = []
        for kind in self._kinds["adapter_rank"]:
            for span in self.plan.spans(kind, layer):
                drawn = self._drawn(kind, layer)
                keep, scale = masks.rank_keep(kind, span, drawn, self._layout, self.plan.ranks, widest, place)
                parts.append(Part(span.start, span.stop, keep, scale))
        return parts

    def drop_hidden(self, place: str, layer: int, x: Tensor) -> Tensor:
        """x [A, N, E] or [A·N, E] after the hidden sites of this layer at `place`."""
        kinds = [kind for kind in self._kinds["hidden"] if kind.place == place]
        return self._drop(x, self._vectors(kinds, layer, x.shape[-1]))

    def noisy(self, x: Tensor) -> Tensor:
        """Word embeddings [A, N, E] with each lane's NEFTune noise."""
        alphas = [0.0 if method is None else method.noise_alpha for method in self.plan.methods]
        if not any(alphas):
            return x
        features = x.shape[-1]
        count = self._layout.tokens * features
        numbers = self._bits.numbers(NOISE_STREAM, (0,), count)[0].view(-1, features).float() + HALF
        each = ((numbers + 0.5) / HALF - 1.0) * self._layout.sizes.float().clamp(min=1).rsqrt().index_select(
            0, self._layout.row_of
        )[:, None]
        x = x.clone()
        for lane, alpha in enumerate(alphas):
            if alpha:
                x[lane] += (each * (alpha / features**0.5)).to(x.dtype)
        return x

    def embeddings(self, x: Tensor) -> Tensor:
        """The first layer's input after the input sites."""
        return self._drop(x, self._vectors(self._kinds["input"], 0, x.shape[-1]))

    def features(self, x: Tensor) -> Tensor:
        """What the head reads after the output sites: units `units` of each lane, [A·U', E]."""
        features = x.shape[-1]
        parts = []
        for kind in self._kinds["output"]:
            for span in self.plan.spans(kind, 0):
                drawn = self._drawn(kind, 0)
                if self._places is None:
                    keep, scale = masks.head_keep(kind, span, drawn, self._layout.rows, features)
                else:
                    keep, scale = masks.vector_keep(kind, span, drawn, self._layout, features)
                    keep = keep.index_select(1, self._places)
                parts.append(Part(span.start, span.stop, keep[:, self.units], scale))
        return self._drop(x, parts)

    def drop_native(self, ordinal: int, rate: float, x: Tensor) -> Tensor:
        """x [..., E] after the base model's own dropout module number `ordinal`."""
        features = x.shape[-1]
        rows = x.numel() // (features * self.plan.lanes)
        call = self._native_calls[ordinal] = self._native_calls.get(ordinal, -1) + 1
        # Those on tokens are made together; those in a head are few and of other sizes.
        together = self._natives if rows == self._layout.tokens else (ordinal,)
        drawn = masks.Drawn(self._bits, ordinal, together)
        numbers = drawn.numbers(NATIVE_STREAM + call, rows * features).view(1, rows, features)
        return self._drop(x, [_part(span, numbers) for span in self.plan.native_spans(rate)])

    def attention(
        self, layer: int, heads: int, native_rate: float, group: LaneGroup, visible: Tensor
    ) -> list[AttentionPart]:
        """What the lanes do in one layer over one group; visible: bool [R or 1, 1 or L, L]."""
        found = []
        for span in self.plan.attention(layer, native_rate):
            if span.idle:
                continue
            kept: Tensor | None = None
            before: Tensor | None = None
            factors: list[Part] = []
            for kind, own in span.logits:
                kept = _rescued(self._attention_keep(kind, own, layer, group, heads), visible if kept is None else kept)
            if span.weights is not None:
                kind, own = span.weights
                keep = self._attention_keep(kind, own, layer, group, heads)
                if kind.rescale in ("inverted", "none"):
                    scale = None if own.scales is None else own.shaped(own.scales, 5)
                    factors.append(Part(span.start, span.stop, keep, scale))
                else:
                    seen = visible if kept is None else kept
                    before = seen if kind.rescale == "normalized" else None
                    kept = _rescued(keep, seen)
            if span.native is not None:
                drawn = masks.Drawn(self._bits, layer, tuple(range(self._layers)))
                keep = masks.pair_keep(NATIVE_ATTENTION_STREAM, span.native, drawn, self._layout, group, heads)
                assert span.native.scales is not None  # native dropout is inverted
                factors.append(Part(span.start, span.stop, keep, span.native.shaped(span.native.scales, 5)))
            found.append(AttentionPart(span.start, span.stop, kept, before, tuple(factors)))
        return found

    def _attention_keep(self, kind: Site, span: Span, layer: int, group: LaneGroup, heads: int) -> Tensor:
        return masks.attention_keep(kind, span, self._drawn(kind, layer), self._layout, group, heads)

    def _vectors(self, kinds: Sequence[Site], layer: int, features: int, place: int = 0) -> list[Part]:
        parts = []
        for kind in kinds:
            for span in self.plan.spans(kind, layer):
                keep, scale = masks.vector_keep(kind, span, self._drawn(kind, layer), self._layout, features, place)
                parts.append(Part(span.start, span.stop, keep, scale))
        return parts

    def _drawn(self, kind: Site, layer: int) -> masks.Drawn:
        if kind not in self._reach:
            self._reach[kind] = self.plan.layers(kind, self._layers)
        return masks.Drawn(self._bits, layer, self._reach[kind])

    def _drop(self, x: Tensor, parts: Sequence[Part]) -> Tensor:
        if not parts:
            return x
        by_lane = x.view(self.plan.lanes, -1, x.shape[-1])
        found: Tensor = DropLanes.apply(by_lane, parts)  # type: ignore[no-untyped-call]  # torch ships it without types
        return found.view(x.shape)


StackPass = PassState[LaneLayout, LaneAdapters, StackDrops]


def _part(span: Span, numbers: Tensor) -> Part:
    scale = None if span.scales is None else span.shaped(span.scales, 3)
    return Part(span.start, span.stop, numbers >= span.shaped(span.thresholds, 3), scale)


def _rescued(keep: Tensor, visible: Tensor) -> Tensor:
    """`keep & visible`, but `visible` itself for queries that would be left without a key."""
    both = keep & visible
    return torch.where(both.any(-1, keepdim=True), both, visible)
