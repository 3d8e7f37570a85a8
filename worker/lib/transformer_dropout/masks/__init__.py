"""Keep-masks as a function of (seed, step, pass, layer, site) and of (row, token, feature): no state, no surprises.

True means kept. The same draw gives the same mask whether rows are padded or packed, nested masks across rates (what
a low rate drops, a high rate drops too), and the same mask again when a checkpointed layer is replayed.
"""

from .attention import AttentionKeep, attention_keep
from .counter import counter_numbers, key_words
from .draw import NOISE_STREAM, Draw, kept
from .native import NATIVE_ATTENTION_STREAM, NATIVE_STREAM, native_attention_keep, native_keep
from .rows import Rows
from .vectors import VectorKeep, embedding_noise, head_keep, vector_keep

__all__ = [
    "NATIVE_ATTENTION_STREAM",
    "NATIVE_STREAM",
    "NOISE_STREAM",
    "AttentionKeep",
    "Draw",
    "Rows",
    "VectorKeep",
    "attention_keep",
    "counter_numbers",
    "embedding_noise",
    "head_keep",
    "kept",
    "key_words",
    "native_attention_keep",
    "native_keep",
    "vector_keep",
]
