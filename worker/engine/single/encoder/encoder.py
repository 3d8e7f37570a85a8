"""The whole encoder as one node of the graph: from a batch to the outputs of its first tokens, with their way back."""

import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from transformer_dropout.hf.families import unwrapped

from worker.engine.batches import Batch
from worker.engine.pass_state import Adapter
from worker.engine.single.drops import Drops, SinglePass
from worker.engine.single.encoder import layer as layers
from worker.engine.single.encoder.adapters import Gradients
from worker.engine.single.encoder.weights import LayerWeights, read_layers
from worker.engine.target import Target

KEPT_BYTES = 32 << 20  # what is kept of one set of rows


class Encoder:
    """A BERT-type body for which `weights.fits` holds, with adapters on `targets`."""

    def __init__(
        self, model: nn.Module, body: nn.Module, targets: Sequence[Target], state: SinglePass, first_position: int
    ) -> None:
        self.layers: list[LayerWeights] = read_layers(model, targets)
        self.heads = int(unwrapped(model).config.num_attention_heads)
        self.embeddings = body.get_submodule("embeddings")
        self.lowest = min(at for at, layer in enumerate(self.layers) if layer.targets)
        self._state, self._first_position = state, first_position

    def features(self, batch: Batch, adapters: Sequence[Adapter], drops: Drops | None) -> Tensor:
        """The last hidden state of each row's first token, [R, E]."""
        if not torch.is_grad_enabled():
            return self.forward(batch, adapters, drops, keep=False)[0]
        leaves = [tensor for adapter in adapters for tensor in (adapter.down, adapter.up)]
        found: Tensor = _EncoderPass.apply(self, batch, adapters, drops, *leaves)  # type: ignore[no-untyped-call]
        return found

    def forward(
        self, batch: Batch, adapters: Sequence[Adapter], drops: Drops | None, keep: bool = True
    ) -> tuple[Tensor, list[layers.SavedLayer], layers.Pass]:
        """The same without the graph, and what `backward` needs, where that is to be kept."""
        about = layers.Pass(batch.packed.layout, self.heads, adapters, drops, keep)
        base: Tensor | None = None
        if drops is not None and drops.at_embeddings:
            x = drops.embeddings(self._embedded(batch, drops))
        else:
            x = self._clean(batch)
            base = self._first_product(batch, x)
        saved: list[layers.SavedLayer] = []
        for at, layer in enumerate(self.layers):
            last = at == len(self.layers) - 1
            x, kept = layers.forward(at, layer, x, base if at == 0 else None, about, last)
            if keep and at >= self.lowest:
                saved.append(kept)
        return x, saved, about

    def backward(self, grad: Tensor, saved: list[layers.SavedLayer], about: layers.Pass) -> Gradients:
        """Gradients of all adapters from that of the result, [R, E]; `saved` is used up."""
        gradients: Gradients = {}
        through: Tensor | None = grad
        for at in range(len(self.layers) - 1, self.lowest - 1, -1):
            assert through is not None  # only the lowest layer ends the way
            through = layers.backward(through, self.layers[at], saved.pop(), about, gradients, at == self.lowest)
        return gradients

    def _clean(self, batch: Batch) -> Tensor:
        """Embeddings [N, E] without any dropout: the same for all runs, so kept with the batch."""
        return self._kept(batch, "embeddings", lambda: self._embedded(batch, None))

    def _embedded(self, batch: Batch, drops: Drops | None) -> Tensor:
        """What the stock embeddings make of a batch, [N, E]: their own dropout and noise are hooked like everywhere."""
        layout = batch.packed.layout
        self._state.layout, self._state.drops = layout, drops
        try:
            with torch.no_grad():
                found: Tensor = self.embeddings(
                    input_ids=batch.packed.input_ids,
                    token_type_ids=batch.packed.token_type_ids,
                    position_ids=layout.positions[None] + self._first_position,
                )[0]
        finally:
            self._state.layout, self._state.drops = None, None
        return found

    def _first_product(self, batch: Batch, clean: Tensor) -> Tensor | None:
        """The first layer's query, key and value before adapters [N, 3E], kept with the batch likewise."""
        if len(self.layers) == 1:
            return None  # the only layer is the last one, which asks for first tokens alone
        first = self.layers[0]
        return self._kept(batch, "first product", lambda: first.qkv(clean))

    def _kept(self, batch: Batch, name: str, make: Callable[[], Tensor]) -> Tensor:
        """What `make` gives, kept with the batch where its whole set fits into KEPT_BYTES."""
        cache = batch.packed.layout.cache
        found = cache.get(name)
        if isinstance(found, _Kept) and found.owner() is self:
            return found.value
        value = make()
        if batch.set_tokens * value.shape[1] * value.element_size() <= KEPT_BYTES:
            cache[name] = _Kept(weakref.ref(self), value)
        return value


@dataclass(frozen=True)
class _Kept:
    """A tensor that one encoder made for a batch."""

    owner: "weakref.ref[Encoder]"
    value: Tensor


class _EncoderPass(torch.autograd.Function):
    """Forward and backward of `Encoder` for autograd; only adapters get gradients."""

    @staticmethod
    def forward(
        ctx: Any, encoder: Encoder, batch: Batch, adapters: Sequence[Adapter], drops: Drops | None, *leaves: Tensor
    ) -> Tensor:
        """leaves: down and up of every adapter, in order."""
        result, saved, about = encoder.forward(batch, adapters, drops)
        ctx.encoder, ctx.saved, ctx.about, ctx.leaves = encoder, saved, about, len(leaves)
        return result

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of the leaves."""
        gradients = ctx.encoder.backward(grads[0].contiguous(), ctx.saved, ctx.about)
        ordered = [tensor for ordinal in range(ctx.leaves // 2) for tensor in gradients[ordinal]]
        return (None, None, None, None, *ordered)
