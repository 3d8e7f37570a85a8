"""Floating point operations of a training step, by formula; a product counts 2.

Per real token and pass: 2 x weights forward, the same back to the activations where the pass is trained; adapters twice
that backward; attention 4·D·n forward and twice that back for a row of n tokens and D = heads x head size.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn
from transformer_dropout.hf.families import layer_modules, unwrapped
from transformer_dropout.spec import CONSISTENCY

if TYPE_CHECKING:
    from worker.engine.batches import Batch
    from worker.engine.hooked_base import Host
    from worker.engine.slot import Slot


def base_weights(model: nn.Module) -> int:
    """Weights of all matrices in the transformer layers."""
    return sum(p.numel() for layer in layer_modules(model) for p in layer.parameters() if p.dim() == 2)


def forward_flops(host: Host, rank: int, batch: Batch) -> float:
    """One forward pass over a batch."""
    config = unwrapped(host.model).config
    width, layers = int(config.hidden_size), int(config.num_hidden_layers)
    adapters = sum(rank * sum(target.shape) for target in host.targets)
    squares = sum(n * n for n in batch.packed.layout.lengths)
    output = host.head.output_weights if host.reading.task == "causal_lm" else 0
    products = batch.tokens * (host.base_weights + adapters) + len(batch.examples) * output
    return 2.0 * products + 4.0 * width * layers * squares


def step_flops(slot: Slot, batch: Batch) -> float:
    """One optimizer step: forward and backward of every pass that is trained, forward of the others."""
    host = slot.host
    forward = forward_flops(host, slot.arm.rank, batch)
    adapters = sum(slot.arm.rank * sum(target.shape) for target in host.targets)
    squares = sum(n * n for n in batch.packed.layout.lengths)
    config = unwrapped(host.model).config
    backward = forward + 2.0 * batch.tokens * adapters + 4.0 * config.hidden_size * config.num_hidden_layers * squares
    kind = CONSISTENCY.get(slot.method.consistency.kind)
    passes = kind.passes if kind is not None else 1
    trained = 1 if kind is None or passes == 1 or kind.second_detached else 2
    return float(passes * forward + trained * backward)
