"""Random bits from a counter-based generator: Philox4x64 keyed by the seed, its counter set by step, layer, site and
pass.

Salmon et al., *Parallel random numbers: as easy as 1, 2, 3* (SC 2011), in NumPy's implementation. On other devices the
bits come from `counter`, keyed by the same numbers and made where they are used: CPU and GPU streams differ.
"""

from dataclasses import dataclass

import numpy as np
import torch

from .counter import counter_numbers, key_words

THRESHOLD_BITS = 16
# Streams below 256 belong to sites (`Site.stream`); NEFTune's noise has one of its own.
NOISE_STREAM = 256

_WORD = (1 << 64) - 1
_KEY = 0x7472616E73646F72  # keeps our stream apart from other users of the same seed


@dataclass(frozen=True)
class Draw:
    """The random numbers of one forward pass.

    seed: the run's; step: the optimizer step (or forward) they are for; pass_index: 0, or 1 in a second pass of a
    consistency loss; device: where the bits are made.
    """

    seed: int
    step: int
    pass_index: int = 0
    device: str = "cpu"

    def bits(self, layer: int, site: int, count: int) -> torch.Tensor:
        """Return `count` uniform 16-bit numbers, `[count]`, uint16 on a CPU and int32 elsewhere."""
        if self.device != "cpu":
            key = torch.from_numpy(key_words([self.key(layer, site)])).to(self.device)
            return counter_numbers(key, count)[0].to(torch.int32) + (1 << THRESHOLD_BITS - 1)
        return torch.from_numpy(self._words(layer, site, -(-count // 4)).view(np.uint16)[:count])

    def uniform(self, layer: int, site: int, count: int) -> torch.Tensor:
        """Return `count` numbers in [0, 1) made of 32 bits each, `[count]` float64."""
        if self.device != "cpu":
            pairs = self.bits(layer, site, 2 * count).view(count, 2).double()
            return pairs[:, 0] / 2**16 + pairs[:, 1] / 2**32
        words = self._words(layer, site, -(-count // 2)).view(np.uint32)[:count]
        return torch.from_numpy(words / 2.0**32)

    def _words(self, layer: int, site: int, count: int) -> np.ndarray:
        counter = np.array(
            [0, self.step & _WORD, (layer << 32 | site) & _WORD, self.pass_index & _WORD], dtype=np.uint64
        )
        key = np.array([self.seed & _WORD, _KEY], dtype=np.uint64)
        return np.random.Philox(key=key, counter=counter).random_raw(count)

    def key(self, layer: int, site: int) -> int:
        """Return the 64-bit key of a stream off the CPU."""
        mixed = 0
        for part in (self.seed, self.step, self.pass_index, layer, site):  # splitmix64 over the parts
            mixed = (mixed + part + 0x9E3779B97F4A7C15) & _WORD
            mixed = ((mixed ^ mixed >> 30) * 0xBF58476D1CE4E5B9) & _WORD
            mixed = ((mixed ^ mixed >> 27) * 0x94D049BB133111EB) & _WORD
            mixed ^= mixed >> 31
        return mixed


def kept(bits: torch.Tensor, rate: float) -> torch.Tensor:
    """Return which of `bits` (from `Draw.bits`, any shape) survive `rate`: bool, True with probability 1 - rate.

    Rates are rounded to 1/65536; the set kept at a high rate is part of the set kept at a low one.
    """
    threshold = min(round(rate * (1 << THRESHOLD_BITS)), (1 << THRESHOLD_BITS) - 1)
    if bits.dtype == torch.uint16:  # torch has few operations on uint16, and NumPy's comparison is seven times faster
        return torch.from_numpy(bits.numpy() >= np.uint16(threshold))
    return bits >= threshold
