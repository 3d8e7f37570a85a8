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
    native_attention_keep,
    native_keep,
    vector_keep,
)
from transformer_dropout.spec import DropoutSpec, Site

from worker.engine.packing import Layout
from worker.engine.pass_state import Adapter, PassState


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


class Drops:
    """The dropout of one pass: `spec` resolved for the model, `draw` for (seed, step, pass), the rows of `layout`.

    Masks over tokens speak of the n real ones; the dummies that follow them are kept.
    """

    def __init__(self, spec: DropoutSpec, draw: Draw, layout: Layout, places: Tensor | None = None) -> None:
        """places: which tokens the head reads, [U]; None where it reads one vector a row."""
        self.spec, self.draw, self.layout, self.places = spec, draw, layout, places
        self.units = slice(None)  # the part of the batch that the head is reading
        self.rows = _rows(layout)
        self.native = spec.native
        self._native_calls: dict[int, int] = {}
        self._hidden = spec.at("hidden")
        self._attention = spec.at("attention_logits", "attention_weights")
        self._input, self._output = spec.at("input"), spec.at("output")
        self._adapter_input, self._adapter_rank = spec.at("adapter_input"), spec.at("adapter_rank")

    def adapter_input(self, layer: int, place: int, features: int) -> VectorKeep | None:
        """What is dropped from the input of adapter number `place` of a layer, [n, features]; None for nothing."""
        return self._adapter(self._adapter_input, layer, place, features)

    def adapter_rank(self, layer: int, place: int, rank: int) -> VectorKeep | None:
        """What is dropped from the inner vector of adapter number `place` of a layer, [n, rank]; None for nothing."""
        return self._adapter(self._adapter_rank, layer, place, rank)

    def hidden(self, place: str, layer: int, features: int) -> tuple[VectorKeep, ...]:
        """What the hidden sites drop in this layer at `place`, each [n, features] or [n, 1]."""
        return tuple(
            vector_keep(site, rate, self.draw, layer, self.rows, features)
            for site in self._hidden
            if site.place == place and (rate := site.rate_at(layer)) > 0.0
        )

    @property
    def at_embeddings(self) -> bool:
        """Whether anything happens to tokens before the first layer."""
        return self.native or bool(self.spec.noise_alpha or self._input)

    def noisy(self, x: Tensor) -> Tensor:
        """Word embeddings [..., E] with NEFTune's noise."""
        if not self.spec.noise_alpha:
            return x
        noise = embedding_noise(self.spec.noise_alpha, self.draw, self.rows, x.shape[-1])
        return x + spread(noise, self.layout.tokens, 0.0).to(x.dtype).view(x.shape)

    def embeddings(self, x: Tensor) -> Tensor:
        """The first layer's input [..., E] after the input sites."""
        for site in self._input:
            x = apply_keep(x, vector_keep(site, site.rate_at(0), self.draw, 0, self.rows, x.shape[-1]))
        return x

    def features(self, x: Tensor) -> Tensor:
        """What the head reads after the output sites: units `units` of the batch, [U', E]."""
        for site in self._output:
            rate, features = site.rate_at(0), x.shape[1]
            if self.places is None:
                found = head_keep(site, rate, self.draw, self.rows.batch, features)
            else:
                found = vector_keep(site, rate, self.draw, 0, self.rows, features)
                found = VectorKeep(found.keep.index_select(0, self.places), found.scale)
            x = drop_hidden(x, found.keep[self.units], found.scale)
        return x

    def attention(self, layer: int, heads: int, native_rate: float) -> AttentionDrops | None:
        """The masks of attention in `layer`, with the base model's own dropout last; None for none."""
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
        if self.native and native_rate > 0.0:
            keep = native_attention_keep(self.draw, layer, native_rate, self.rows, heads)
            weights.append(WeightDrop(keep, "inverted", native_rate))
        return AttentionDrops(tuple(logits), tuple(weights)) if logits or weights else None

    def native_vector(self, ordinal: int, rate: float, rows: int, features: int) -> VectorKeep:
        """What the base model's own dropout module number `ordinal` drops from [rows, features]; N rows are tokens.

        A module may be called more than once in a pass.
        """
        call = self._native_calls[ordinal] = self._native_calls.get(ordinal, -1) + 1
        count = self.rows.total if rows == self.layout.tokens else rows
        keep = native_keep(self.draw, ordinal, call, rate, self.rows, torch.Size((count, features)))
        return VectorKeep(keep, 1.0 / (1.0 - rate))

    def drop_hidden(self, place: str, layer: int, x: Tensor) -> Tensor:
        """x [..., E] after the hidden sites of this layer at `place`."""
        for found in self.hidden(place, layer, x.shape[-1]):
            x = apply_keep(x, found)
        return x

    def drop_native(self, ordinal: int, rate: float, x: Tensor) -> Tensor:
        """x [..., E] after the base model's own dropout module number `ordinal`."""
        features = x.shape[-1]
        return apply_keep(x, self.native_vector(ordinal, rate, x.numel() // features, features))

    def _adapter(self, sites: tuple[Site, ...], layer: int, place: int, features: int) -> VectorKeep | None:
        for site in sites:  # one at most: the framework has a single cell at each of these positions
            rate = site.rate_at(layer)
            if rate > 0.0:
                return vector_keep(site, rate, self.draw, layer, self.rows, features, place)
        return None


SinglePass = PassState[Layout, Adapter, Drops]


def apply_keep(x: Tensor, found: VectorKeep) -> Tensor:
    """x [..., E] after a keep over its first rows; also the gradient's way back."""
    count = x.shape[:-1].numel()
    scale = found.scale
    if isinstance(scale, Tensor):
        scale = spread(scale, count, 1.0).view(*x.shape[:-1], -1)
    return drop_hidden(x, spread(found.keep, count, True).view(*x.shape[:-1], -1), scale)


def _rows(layout: Layout) -> Rows:
    rows = layout.cache.get("rows")
    if not isinstance(rows, Rows):
        rows = layout.cache["rows"] = Rows(layout.lengths)
    return rows


def spread(real: Tensor, count: int, fill: bool | float) -> Tensor:
    """Extend [n, E] to [count, E]: what follows the real tokens is `fill`."""
    if real.shape[0] == count:
        return real
    full = real.new_full((count, real.shape[1]), fill)
    full[: real.shape[0]] = real
    return full
