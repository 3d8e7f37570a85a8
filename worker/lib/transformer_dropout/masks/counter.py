"""A counter-based stream in torch's 32-bit integers: the same numbers on every device that torch knows.

Number i of a stream is one half of word i // 2 with its top bit flipped. A word is its counter through Wellons' mixer
`triple32` (*Prospecting for hash functions*, 2018), with one half of a 64-bit key mixed in at the start, the other
after the first multiplication. Arithmetic wraps, as torch's does.
"""

from collections.abc import Sequence

import numpy as np
import torch

_FACTORS = tuple(int(np.uint32(factor).view(np.int32)) for factor in (0xED5AD4BB, 0xAC4C1B51, 0x31848BAB))


def counter_words(keys: torch.Tensor, count: int) -> torch.Tensor:
    """Return `count` 32-bit words of each stream, `[n, count]` int32 on the device of `keys` `[n, 2]` int32."""
    counter = torch.arange(count, dtype=torch.int32, device=keys.device)
    x = counter[None] ^ keys[:, :1]
    x.bitwise_xor_((x >> 17).bitwise_and_(0x7FFF)).mul_(_FACTORS[0])
    x.bitwise_xor_((x >> 11).bitwise_and_(0x1FFFFF)).add_(keys[:, 1:]).mul_(_FACTORS[1])
    x.bitwise_xor_((x >> 15).bitwise_and_(0x1FFFF)).mul_(_FACTORS[2])
    return x.bitwise_xor_((x >> 14).bitwise_and_(0x3FFFF))


def counter_numbers(keys: torch.Tensor, count: int) -> torch.Tensor:
    """Return `count` numbers of 16 bits of each stream, `[n, count]` int16: the number minus 32768."""
    return counter_words(keys, -(-count // 2)).view(torch.int16)[:, :count]


def key_words(keys: Sequence[int]) -> np.ndarray:
    """Return 64-bit keys as `counter_words` wants them, `[n, 2]` int32."""
    return np.array(keys, dtype=np.uint64).view(np.int32).reshape(len(keys), 2)
