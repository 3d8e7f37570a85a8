"""Which lanes of a stack drop what, at which rates: worked out once, as neighbouring lanes handled together."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

import numpy as np
import torch
from torch import Tensor
from transformer_dropout.spec import DropoutSpec, Site

from worker.engine.stacked.random_bits import threshold
from worker.engine.stacked.to_device import upload


@dataclass(frozen=True)
class Span:
    """Lanes from `start` up to `stop` that drop something. G is their number, or 1 where all drop the same."""

    start: int
    stop: int
    rates: Tensor  # float64 [G]
    thresholds: Tensor  # int16 [G]
    scales: Tensor | None  # fp32 [G]: what the kept is multiplied by, for 'inverted'

    def shaped(self, values: Tensor, dimensions: int) -> Tensor:
        """Values [G] to [G, 1, ...] of so many dimensions."""
        return values.view(-1, *([1] * (dimensions - 1)))


@dataclass(frozen=True)
class AttentionSpan:
    """Lanes whose attention in one layer goes the same way: sites before the softmax, one after it, native dropout."""

    start: int
    stop: int
    logits: tuple[tuple[Site, Span], ...]
    weights: tuple[Site, Span] | None
    native: Span | None

    @property
    def idle(self) -> bool:
        """Whether nothing is dropped."""
        return not self.logits and self.weights is None and self.native is None


class Plan:
    """The methods of A lanes, resolved for the model; None for a lane that drops nothing."""

    def __init__(self, methods: Sequence[DropoutSpec | None], ranks: Sequence[int], device: torch.device) -> None:
        """ranks: of the lanes' adapters."""
        self.methods, self.device = tuple(methods), device
        self.ranks = upload([np.array(ranks, dtype=np.int64)], device)[0]  # [A]
        self.lanes = len(self.methods)
        self.native = any(method.native for method in self.methods if method is not None)
        self._spans: dict[tuple[object, ...], tuple[Span, ...]] = {}
        self._attention: dict[tuple[int, float], tuple[AttentionSpan, ...]] = {}

    @property
    def idle(self) -> bool:
        """Whether no lane drops anything or adds noise."""
        return not any(m is not None and (m.native or m.noise_alpha or m.sites) for m in self.methods)

    def kinds(self, *positions: str) -> list[Site]:
        """The sites of all lanes at these positions, without what may differ between lanes: rates and layers."""
        found = (kind_of(site) for method in self.methods if method is not None for site in method.at(*positions))
        return list(dict.fromkeys(found))

    def layers(self, kind: Site, count: int) -> tuple[int, ...]:
        """Layers below `count` in which some lane drops at this kind of site."""
        return tuple(layer for layer in range(count) if self.spans(kind, layer))

    def spans(self, kind: Site, layer: int) -> tuple[Span, ...]:
        """Where lanes drop at this kind of site in `layer`."""
        return self._cut(("site", kind), [self._rate(lane, kind, layer) for lane in range(self.lanes)], kind.rescale)

    def native_spans(self, rate: float) -> tuple[Span, ...]:
        """Where lanes keep the base model's own dropout of this rate on."""
        return self._cut(("native",), [rate if m is not None and m.native else 0.0 for m in self.methods], "inverted")

    def attention(self, layer: int, native_rate: float) -> tuple[AttentionSpan, ...]:
        """All lanes, cut into neighbours whose attention in `layer` goes the same way."""
        key = (layer, native_rate)
        if key not in self._attention:
            ways = [self._way(lane, layer, native_rate) for lane in range(self.lanes)]
            found, start = [], 0
            for way, members in groupby(ways):
                stop = start + len(list(members))
                found.append(self._attention_span(start, stop, way, layer, native_rate))
                start = stop
            self._attention[key] = tuple(found)
        return self._attention[key]

    def _way(self, lane: int, layer: int, native_rate: float) -> tuple[tuple[Site, ...], Site | None, bool]:
        method = self.methods[lane]
        if method is None:
            return (), None, False
        logits = tuple(kind_of(site) for site in method.at("attention_logits") if site.rate_at(layer) > 0)
        weights = [kind_of(site) for site in method.at("attention_weights") if site.rate_at(layer) > 0]
        return logits, weights[0] if weights else None, method.native and native_rate > 0

    def _attention_span(
        self, start: int, stop: int, way: tuple[tuple[Site, ...], Site | None, bool], layer: int, native_rate: float
    ) -> AttentionSpan:
        logits, weights, native = way

        def span(kind: Site) -> Span:
            return self._span(start, [self._rate(lane, kind, layer) for lane in range(start, stop)], kind.rescale)

        return AttentionSpan(
            start,
            stop,
            tuple((kind, span(kind)) for kind in logits),
            (weights, span(weights)) if weights is not None else None,
            self._span(start, [native_rate] * (stop - start), "inverted") if native else None,
        )

    def _rate(self, lane: int, kind: Site, layer: int) -> float:
        method = self.methods[lane]
        sites = () if method is None else method.at(kind.position)
        return next((site.rate_at(layer) for site in sites if kind_of(site) == kind), 0.0)

    def _cut(self, what: tuple[object, ...], rates: list[float], rescale: str | None) -> tuple[Span, ...]:
        key = (*what, tuple(rates))
        if key not in self._spans:
            self._spans[key] = tuple(
                self._span(start, rates[start:stop], rescale) for start, stop in stretches(rates, lambda r: r > 0)
            )
        return self._spans[key]

    def _span(self, start: int, rates: list[float], rescale: str | None) -> Span:
        own = rates[:1] if len(set(rates)) == 1 else rates
        table = np.array([(rate, threshold(rate), 1.0 / (1.0 - rate)) for rate in own]).T
        rate_of, threshold_of, scale_of = upload([table], self.device)[0]
        return Span(
            start,
            start + len(rates),
            rate_of,
            threshold_of.to(torch.int16),
            scale_of.float() if rescale == "inverted" else None,
        )


def kind_of(site: Site) -> Site:
    """A site without its rates and layers."""
    return replace(site, rate=0.5, layers=None)


def stretches(values: Sequence[float], wanted: Callable[[float], bool]) -> list[tuple[int, int]]:
    """Where neighbouring values are wanted: (start, stop) of each stretch."""
    found, start = [], 0
    for good, members in groupby(values, wanted):
        stop = start + len(list(members))
        if good:
            found.append((start, stop))
        start = stop
    return found
