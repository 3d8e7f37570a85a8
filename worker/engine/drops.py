"""What is dropped in one forward pass of one slot: the library's masks, laid over packed tokens."""

from dataclasses import dataclass

import torch
from torch import Tensor
from transformer_dropout.functional import drop_hidden
from transformer_dropout.masks import (
    AttentionKeep,
    Draw,
    Rows,
    VectorKeep,
    attention_keep,
    embedding_noise,
    head_keep,
    kept,
    vector_keep,
)
from transformer_dropout.spec import DropoutSpec, Site

from worker.engine.packing import Layout

ADAPTER = ("adapter_input", "adapter_rank")
# Streams of the base model's own dropout; the library's sites use numbers below 257.
NATIVE_ATTENTION_STREAM, NATIVE_STREAM = 512, 1024

# Passes of one step: 0, and 1 in the second pass of a consistency loss; the probe slice with dropout on has its own.
SLICE_PASS = 2


@dataclass(frozen=True)
class WeightDrop:
    """A mask on attention weights: keep over keys or pairs, and how the kept weights are scaled."""

    keep: AttentionKeep
    rescale: str
    rate: float


@dataclass(frozen=True)
class AttentionDrops:
    """Masks of one layer's attention."""

    logits: tuple[AttentionKeep, ...]
    weights: tuple[WeightDrop, ...]

    def __bool__(self) -> bool:
        return bool(self.logits or self.weights)


class Drops:
    """The dropout of one pass: `spec` resolved for the model, `draw` for (seed, step, pass), the rows of `layout`."""

    def __init__(self, spec: DropoutSpec, draw: Draw, layout: Layout) -> None:
        self.spec, self.draw, self.layout = spec, draw, layout
        self.rows = _rows(layout)
        self.native = spec.native
        self._native_calls: dict[int, int] = {}
        self._hidden = spec.at("hidden")
        self._attention = spec.at("attention_logits", "attention_weights")
        self._input, self._output = spec.at("input"), spec.at("output")
        self._adapter_input, self._adapter_rank = spec.at("adapter_input"), spec.at("adapter_rank")

    def adapter_input(self, ordinal: int, layer: int, features: int, dtype: torch.dtype) -> Tensor | None:
        """Factor [N, features] on the input of target number `ordinal`; None where nothing is dropped."""
        return self._factor(self._adapter_input, ordinal, layer, features, dtype)

    def adapter_rank(self, ordinal: int, layer: int, rank: int, dtype: torch.dtype) -> Tensor | None:
        """Factor [N, rank] on the inner vector of target number `ordinal`; None where nothing is dropped."""
        return self._factor(self._adapter_rank, ordinal, layer, rank, dtype)

    def hidden(self, place: str, layer: int, x: Tensor) -> Tensor:
        """x [..., E] over N tokens, after the hidden sites of this layer at `place`."""
        for site in self._hidden:
            rate = site.rate_at(layer) if site.place == place else 0.0
            if rate > 0.0:
                x = self._drop(x, vector_keep(site, rate, self.draw, layer, self.rows, x.shape[-1]))
        return x

    def embeddings(self, x: Tensor) -> Tensor:
        """Token embeddings [..., E] after noise and the input sites."""
        if self.spec.noise_alpha:
            noise = embedding_noise(self.spec.noise_alpha, self.draw, self.rows, x.shape[-1])
            x = x + _spread(noise, self.layout.tokens, 0.0).to(x.dtype).view(x.shape)
        for site in self._input:
            x = self._drop(x, vector_keep(site, site.rate_at(0), self.draw, 0, self.rows, x.shape[-1]))
        return x

    def features(self, x: Tensor) -> Tensor:
        """What the head reads, [R, E], one row an example (or a completion token), after the output sites."""
        for site in self._output:
            found = head_keep(site, site.rate_at(0), self.draw, x.shape[0], x.shape[1])
            x = drop_hidden(x, found.keep, found.scale)
        return x

    def attention(self, layer: int, heads: int) -> AttentionDrops:
        """The masks of attention in `layer`."""
        logits: list[AttentionKeep] = []
        weights: list[WeightDrop] = []
        for site in self._attention:
            rate = site.rate_at(layer)
            if rate <= 0.0:
                continue
            keep = attention_keep(site, rate, self.draw, layer, self.rows, heads)
            if site.position == "attention_logits":
                logits.append(keep)
            else:
                weights.append(WeightDrop(keep, str(site.rescale), rate))
        return AttentionDrops(tuple(logits), tuple(weights))

    def native_vector(self, ordinal: int, rate: float, x: Tensor) -> Tensor:
        """x [..., E] after the base model's own dropout module number `ordinal`, which may be called more than once."""
        features = x.shape[-1]
        call = self._native_calls[ordinal] = self._native_calls.get(ordinal, -1) + 1
        count = self.rows.total if x.numel() == self.layout.tokens * features else x.numel() // features
        keep = kept(self.draw.bits(ordinal, NATIVE_STREAM + call, count * features), rate).view(count, features)
        return self._drop(x, VectorKeep(keep, 1.0 / (1.0 - rate)))

    def native_attention(self, layer: int, rate: float, heads: int) -> WeightDrop:
        """The base model's own dropout on attention weights."""
        count = heads * sum(n * n for n in self.rows.lengths)
        pairs = kept(self.draw.bits(layer, NATIVE_ATTENTION_STREAM, count), rate)
        return WeightDrop(AttentionKeep(self.rows, heads, None, pairs), "inverted", rate)

    def _drop(self, x: Tensor, found: VectorKeep) -> Tensor:
        count = x.numel() // x.shape[-1]
        keep = _spread(found.keep, count, True).view(*x.shape[:-1], -1)
        scale = found.scale
        if isinstance(scale, Tensor):
            scale = _spread(scale, count, 1.0).view(*x.shape[:-1], -1)
        return drop_hidden(x, keep, scale)

    def _factor(
        self, sites: tuple[Site, ...], ordinal: int, layer: int, features: int, dtype: torch.dtype
    ) -> Tensor | None:
        factor = None
        for site in sites:
            rate = site.rate_at(layer)
            if rate > 0.0:  # every target has numbers of its own, as every lora_dropout module in PEFT has
                found = vector_keep(site, rate, self.draw, ordinal, self.rows, features)
                factor = _spread(found.keep, self.layout.tokens, True).to(dtype) * found.scale
        return factor


def _rows(layout: Layout) -> Rows:
    rows = layout.cache.get("rows")
    if not isinstance(rows, Rows):
        rows = layout.cache["rows"] = Rows(layout.lengths)
    return rows


def _spread(real: Tensor, count: int, fill: bool | float) -> Tensor:
    """Extend [n, E] to [count, E]: what follows the real tokens is `fill`."""
    if real.shape[0] == count:
        return real
    full = real.new_full((count, real.shape[1]), fill)
    full[: real.shape[0]] = real
    return full
