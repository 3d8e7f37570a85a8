"""The random numbers of one pass, on the device: for all layers of a site at once, and the same for all lanes.

Lanes of a stack share seed and step, so they share the numbers too; each lane holds them against its own rate.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
import torch
from torch import Tensor
from transformer_dropout.masks import Draw, counter_numbers, key_words

from worker.engine.stacked.to_device import upload

Stream = Literal["philox", "counter"]
HALF = 1 << 15


class Bits:
    """Numbers of the pass that `draw` names. stream: NumPy's of the loop, or the one made on the device."""

    def __init__(self, draw: Draw, device: torch.device, stream: Stream) -> None:
        self._draw, self._device, self._stream = draw, device, stream
        self._made: dict[tuple[int, tuple[int, ...], int], Tensor] = {}

    def numbers(self, stream: int, layers: Sequence[int], count: int) -> Tensor:
        """[layers, count] int16: a number of 16 bits minus 32768."""
        key = (stream, tuple(layers), count)
        if key not in self._made:
            self._made[key] = self._counter(key) if self._stream == "counter" else self._philox(key)
        return self._made[key]

    def uniform(self, stream: int, layers: Sequence[int], count: int) -> Tensor:
        """[layers, count] float64 in [0, 1), made of 32 bits each."""
        if self._stream == "philox":
            rows = [self._draw.uniform(layer, stream, count).numpy() for layer in layers]
            return upload([np.stack(rows)], self._device)[0]
        pairs = self.numbers(stream, layers, 2 * count).reshape(len(layers), count, 2).double() + HALF
        return pairs[..., 0] / 2**16 + pairs[..., 1] / 2**32

    def _counter(self, key: tuple[int, tuple[int, ...], int]) -> Tensor:
        stream, layers, count = key
        keys = key_words([self._draw.key(layer, stream) for layer in layers]).astype(np.int64)
        return counter_numbers(upload([keys], self._device)[0].int(), count)

    def _philox(self, key: tuple[int, tuple[int, ...], int]) -> Tensor:
        stream, layers, count = key
        rows = [self._draw.bits(layer, stream, count).numpy().astype(np.int32) - HALF for layer in layers]
        return torch.from_numpy(np.stack(rows).astype(np.int16)).to(self._device)


def threshold(rate: float) -> int:
    """What a number must reach to be kept, as `transformer_dropout.masks.kept` rounds it."""
    return min(round(rate * 2 * HALF), 2 * HALF - 1) - HALF
