"""Floating point operations of a training step, by formula; a product counts 2.

Per real token and pass: 2 x weights forward, the same back to the activations where the pass is trained; adapters twice
that backward; attention 4·D·n forward and twice that back for a row of n tokens and D = heads x head size.
"""

from dataclasses import dataclass

from torch import nn
from transformer_dropout.hf.families import layer_modules

from worker.engine.batches import Batch


@dataclass(frozen=True)
class Sizes:
    """What a run computes in a step, but for the batch."""

    weights: int  # of all matrices in the transformer layers
    output: int  # weights of the last matrix where it is read at every judged token, else 0
    width: int  # D
    layers: int
    adapters: int  # weights
    passes: int  # forward, in a step
    trained: int  # of them, those with a way back


def base_weights(model: nn.Module) -> int:
    """Weights of all matrices in the transformer layers."""
    return sum(p.numel() for layer in layer_modules(model) for p in layer.parameters() if p.dim() == 2)


def step_flops(sizes: Sizes, batch: Batch) -> float:
    """One optimizer step: forward and backward of every pass that is trained, forward of the others."""
    squares = sum(n * n for n in batch.packed.layout.lengths)
    attention = 4.0 * sizes.width * sizes.layers * squares
    products = batch.tokens * (sizes.weights + sizes.adapters) + len(batch.examples) * sizes.output
    forward = 2.0 * products + attention
    backward = forward + 2.0 * batch.tokens * sizes.adapters + attention
    return float(sizes.passes * forward + sizes.trained * backward)
