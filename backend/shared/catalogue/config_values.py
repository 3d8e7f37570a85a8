"""What a model's settings say, held against what may stand there, against each other and against the weights."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from backend.shared.catalogue.config_keys import KEYS, is_token
from backend.shared.catalogue.families import FAMILIES
from backend.shared.catalogue.safetensors_header import TensorInfo
from backend.shared.errors import InvalidInput

LAYERS = ("num_hidden_layers", "n_layer", "n_layers")
HEADS = ("num_attention_heads", "n_head", "n_heads")
WIDTH = ("hidden_size", "n_embd", "dim")
_EMBEDDINGS = ("word_embeddings.weight", "wte.weight", "embed_tokens.weight", "embed_in.weight")
_LAYER = re.compile(r"(?:^|\.)(?:layer|layers|h)\.(\d+)\.")
# Settings that change what the model computes to something that dropout cannot be put into here.
_REFUSED = {
    "chunk_size_feed_forward": "runs the feed-forward block in chunks, where its dropout cannot be put; set it to 0, "
    "the numbers stay the same",
    "reorder_and_upcast_attn": "computes attention in an order of its own, where its dropout cannot be put; set it to "
    "false, the numbers stay the same but for rounding",
    "add_cross_attention": "adds cross-attention, which only an encoder-decoder needs",
    "is_encoder_decoder": "makes it an encoder-decoder; only encoders and decoders are supported",
}


def first(config: Mapping[str, Any], names: Sequence[str]) -> int:
    """The size under the first of its names that is there; values have been checked.

    Raises:
        InvalidInput: there is none.
    """
    for name in names:
        if config.get(name) is not None:
            return int(config[name])
    raise InvalidInput(f"config.json has no positive whole number under `{names[0]}`.")


def check_values(config: Mapping[str, Any]) -> None:
    """Hold every key that is read against what may stand there, and the sizes against each other; of a known family.

    Raises:
        InvalidInput: the first key that cannot be, with what could.
    """
    for key, kind in KEYS.items():
        value = config.get(key)
        if key in config and not (kind.optional and value is None) and not kind.allows(value):
            shown = repr(value)[:60] if not isinstance(value, int) or abs(value) < 10**40 else "a number without end"
            raise InvalidInput(f"config.json says {shown} under `{key}`, which must be {kind.words}.")
    for key, why in _REFUSED.items():
        if config.get(key):
            raise InvalidInput(f"config.json sets `{key}`, which {why}.")
    if config.get("position_embedding_type") not in (None, "absolute"):
        raise InvalidInput(
            f"config.json sets `position_embedding_type` to {config['position_embedding_type']!r}, which transformers "
            "does not compute any more: it would read the model as another one. Take a checkpoint with absolute "
            "positions."
        )
    width, heads = first(config, WIDTH), first(config, HEADS)
    if not config.get("head_dim") and width % heads:
        raise InvalidInput(f"config.json contradicts itself: a width of {width:,} cannot be cut into {heads:,} heads.")
    groups = config.get("num_key_value_heads") or heads
    if heads % groups:
        raise InvalidInput(
            f"config.json contradicts itself: {heads:,} heads cannot share {groups:,} `num_key_value_heads`."
        )
    if FAMILIES[config["model_type"]].positions_offset and not is_token(config.get("pad_token_id", 1), config):
        raise InvalidInput(
            f"config.json says {config['pad_token_id']!r} under `pad_token_id`, which is no token; this family counts "
            "its positions from it, so it must be the one that the model was trained with (1 as a rule)."
        )
    layers = first(config, LAYERS)
    for key in ("layer_types", "no_rope_layers"):
        if config.get(key) and len(config[key]) != layers:
            raise InvalidInput(
                f"config.json contradicts itself: {layers} layers, and `{key}` is for {len(config[key])}."
            )


def check_weights(config: Mapping[str, Any], tensors: Sequence[TensorInfo]) -> None:
    """Hold layers, vocabulary and width against the tensors of the weight files.

    Raises:
        InvalidInput: the first that differs, with both numbers.
    """
    said = first(config, LAYERS)
    there = {int(found[1][:9]) for tensor in tensors if (found := _LAYER.search(tensor.name))}
    if there != set(range(said)):
        raise InvalidInput(
            f"config.json says {said:,} layers, and the weights hold {_layers(there)}; they belong to different models."
        )
    for tensor in tensors:
        if not tensor.name.endswith(_EMBEDDINGS) or len(tensor.shape) != 2:
            continue
        rows, columns = tensor.shape
        width = config.get("embedding_size") or config.get("word_embed_proj_dim") or first(config, WIDTH)
        vocabulary = first(config, ("vocab_size",))
        if rows != vocabulary or columns != width:
            raise InvalidInput(
                f"config.json says {vocabulary:,} tokens of {width:,} features, and the weights' embedding "
                f"({tensor.name[-80:]}) holds {rows:,} of {columns:,}; they belong to different models."
            )


def _layers(there: set[int]) -> str:
    if there == set(range(len(there))):
        return f"{len(there):,}"
    missing = next(number for number in range(len(there) + 1) if number not in there)
    return f"{len(there):,}, without number {missing}"
