"""The model families that can be trained, by transformers' `model_type`, and why others cannot.

Source of the target modules: PEFT 0.21, `peft/utils/constants.py`; where PEFT names none, its rule for the closest
family (query and value projections) is applied.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass

from backend.shared.specs import Task

_ENCODER: tuple[Task, ...] = ("classification", "regression")
_DECODER: tuple[Task, ...] = ("causal_lm", "classification", "regression")


@dataclass(frozen=True)
class Family:
    """What all checkpoints of one `model_type` share."""

    target_modules: tuple[str, ...]
    tasks: tuple[Task, ...]
    positions_offset: bool = False  # its first pad_token_id + 1 position embeddings are never used


_QV = ("q_proj", "v_proj")
FAMILIES: dict[str, Family] = {
    "bert": Family(("query", "value"), _ENCODER),
    "roberta": Family(("query", "value"), _ENCODER, positions_offset=True),
    "xlm-roberta": Family(("query", "value"), _ENCODER, positions_offset=True),
    "electra": Family(("query", "value"), _ENCODER),
    "distilbert": Family(("q_lin", "v_lin"), _ENCODER),
    "gpt2": Family(("c_attn",), _DECODER),
    "llama": Family(_QV, _DECODER),
    "mistral": Family(_QV, _DECODER),
    "qwen2": Family(_QV, _DECODER),
    "qwen3": Family(_QV, _DECODER),
    "smollm3": Family(_QV, _DECODER),
    "phi3": Family(("qkv_proj",), _DECODER),
    "opt": Family(_QV, _DECODER),
    "gpt_neox": Family(("query_key_value",), _DECODER),
}

_OWN_ATTENTION = "computes its attention in code of its own, where the dropout of this study cannot be put"
_ENCODER_DECODER = "is an encoder-decoder; only encoders and decoders are supported"
REFUSED: dict[str, str] = {
    "deberta": _OWN_ATTENTION,
    "deberta-v2": _OWN_ATTENTION,
    "t5": _ENCODER_DECODER,
    "mt5": _ENCODER_DECODER,
    "bart": _ENCODER_DECODER,
    "mbart": _ENCODER_DECODER,
    "pegasus": _ENCODER_DECODER,
    "whisper": _ENCODER_DECODER,
    "mamba": "has no attention",
    "mamba2": "has no attention",
    "albert": "shares one layer's weights among all layers, where a dropout by layer cannot tell them apart",
    "modernbert": "joins query, key and value in a layout that the dropout of this study does not know yet",
    "gemma2": "caps its attention logits, which the dropout of this study does not yet honour",
}

_OUTSIDE_LAYERS = ("embeddings_project", "embedding_hidden_mapping_in", "pooler", "pooler.dense")


def linear_modules(tensors: Iterable[tuple[str, int]]) -> tuple[str, ...]:
    """Names of the linear modules among checkpoint tensors given as (name, number of dimensions).

    In every supported family the two-dimensional weights inside numbered layers are linear maps; embeddings and
    heads stand outside the layers.
    """
    found = []
    for name, dimensions in tensors:
        module, _, leaf = name.rpartition(".")
        if leaf != "weight" or dimensions != 2:
            continue
        if re.search(r"(^|\.)\d+\.", module) or module.endswith(_OUTSIDE_LAYERS):
            found.append(module)
    return tuple(found)


def matches(module: str, target: str) -> bool:
    """PEFT's rule: a target names a module when it is its full name or its last dotted parts."""
    return module == target or module.endswith("." + target)
