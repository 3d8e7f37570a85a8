"""The keys of a model's settings that are read, each with what may stand there; every other key is left out unread.

Source of the names: the configuration classes of transformers 5.23 and what older releases wrote (`rope_theta`,
`rope_scaling`, `n_ctx`, ...). A test holds the list against the classes of the release that is installed.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Kind:
    """What may stand under a key: `words` end the sentence "must be ..."."""

    words: str
    allows: Callable[[Any], bool]
    optional: bool = False  # null says that it is not set


def _whole(low: int, high: int, optional: bool = False) -> Kind:
    return Kind(
        f"a whole number from {low:,} to {high:,} ({high:,} is Dropscope's limit)",
        lambda value: isinstance(value, int) and not isinstance(value, bool) and low <= value <= high,
        optional,
    )


def _number(low: float, high: float, optional: bool = False) -> Kind:
    return Kind(
        f"a number from {low:g} to {high:g}",
        lambda value: isinstance(value, int | float) and not isinstance(value, bool) and low <= value <= high,
        optional,
    )


def _is_token(value: Any) -> bool:
    """A token's number: -1 says that there is none; a list of them where a text may end with any."""
    if isinstance(value, list):
        return len(value) <= MOST_ITEMS and all(_is_token(one) and not isinstance(one, list) for one in value)
    return isinstance(value, int) and not isinstance(value, bool) and -1 <= value < MOST_TOKENS


def _is_plain(value: Any, depth: int = 0) -> bool:
    """A rope's parameters: a few names with numbers, words or lists of numbers."""
    if isinstance(value, dict):
        return depth < 2 and len(value) <= 64 and all(_is_plain(one, depth + 1) for one in value.values())
    if isinstance(value, list):
        return len(value) <= MOST_ITEMS and all(isinstance(one, int | float) and abs(one) <= 1e12 for one in value)
    return value is None or isinstance(value, str | bool) or (isinstance(value, int | float) and abs(value) <= 1e12)


MOST_LAYERS, MOST_WIDTH, MOST_TOKENS, MOST_ITEMS = 1_000, 1 << 20, 1 << 24, 1 << 16
_SIZE, _LAYERS = _whole(1, MOST_WIDTH), _whole(1, MOST_LAYERS)
_MAYBE = _whole(1, MOST_WIDTH, optional=True)
_POSITIONS = _whole(1, 1 << 31)
_WINDOW = _whole(0, 1 << 31, optional=True)
_RATE, _MAYBE_RATE = _number(0, 1), _number(0, 1, optional=True)
_SMALL = _number(1e-30, 1)
_FLAG = Kind("true or false", lambda value: isinstance(value, bool), optional=True)
_TOKEN = Kind(f"a token's number below {MOST_TOKENS:,}", _is_token, optional=True)
_WORD = Kind("a short word", lambda value: isinstance(value, str) and len(value) <= 100, optional=True)
_ROPE = Kind("rotary parameters: names with numbers", _is_plain, optional=True)
_WORDS = Kind(
    "a list of words, one a layer",
    lambda value: isinstance(value, list) and len(value) <= MOST_LAYERS and all(isinstance(w, str) for w in value),
    optional=True,
)
_FLAGS = Kind(
    "a list of 0 and 1, one a layer",
    lambda value: isinstance(value, list) and len(value) <= MOST_LAYERS and all(w in (0, 1) for w in value),
    optional=True,
)

KEYS: Mapping[str, Kind] = {
    **dict.fromkeys(("hidden_size", "n_embd", "dim", "intermediate_size", "ffn_dim", "hidden_dim"), _SIZE),
    **dict.fromkeys(("embedding_size", "word_embed_proj_dim", "n_inner", "head_dim", "num_key_value_heads"), _MAYBE),
    **dict.fromkeys(("num_attention_heads", "n_head", "n_heads"), _SIZE),
    **dict.fromkeys(("num_hidden_layers", "n_layer", "n_layers"), _LAYERS),
    **dict.fromkeys(("no_rope_layer_interval", "pretraining_tp"), _whole(0, MOST_LAYERS, optional=True)),
    "max_window_layers": _whole(0, MOST_LAYERS, optional=True),
    "vocab_size": _whole(1, MOST_TOKENS),
    "type_vocab_size": _whole(0, 1 << 16),
    "chunk_size_feed_forward": _whole(0, MOST_WIDTH, optional=True),
    **dict.fromkeys(("max_position_embeddings", "n_positions", "n_ctx"), _POSITIONS),
    "original_max_position_embeddings": _WINDOW,
    "sliding_window": _WINDOW,
    **dict.fromkeys(
        (
            "attention_dropout", "attention_probs_dropout_prob", "attn_pdrop", "dropout", "embd_pdrop",
            "hidden_dropout", "hidden_dropout_prob", "layerdrop", "qa_dropout", "resid_pdrop", "seq_classif_dropout",
            "activation_dropout", "summary_first_dropout", "summary_last_dropout",
        ),
        _RATE,
    ),
    **dict.fromkeys(("classifier_dropout", "partial_rotary_factor", "rotary_pct"), _MAYBE_RATE),
    **dict.fromkeys(("layer_norm_eps", "layer_norm_epsilon", "rms_norm_eps"), _SMALL),
    **dict.fromkeys(("initializer_range", "init_std"), _number(0, 1000)),
    **dict.fromkeys(("rope_theta", "rotary_emb_base"), _number(1e-6, 1e12, optional=True)),
    **dict.fromkeys(("rope_parameters", "rope_scaling"), _ROPE),
    **dict.fromkeys(("pad_token_id", "bos_token_id", "eos_token_id"), _TOKEN),
    **dict.fromkeys(("hidden_act", "activation_function", "activation", "model_type", "tokenizer_class"), _WORD),
    **dict.fromkeys(("summary_activation", "summary_type", "position_embedding_type", "transformers_version"), _WORD),
    "layer_types": _WORDS,
    "no_rope_layers": _FLAGS,
    **dict.fromkeys(
        (
            "_remove_final_layer_norm", "add_cross_attention", "attention_bias", "do_layer_norm_before",
            "enable_bias", "is_decoder", "is_encoder_decoder", "layer_norm_elementwise_affine", "mlp_bias",
            "reorder_and_upcast_attn", "scale_attn_by_inverse_layer_idx", "scale_attn_weights",
            "sinusoidal_pos_embds", "summary_proj_to_labels", "summary_use_proj", "tie_weights_",
            "tie_word_embeddings", "use_cache", "use_parallel_residual", "use_sliding_window",
        ),
        _FLAG,
    ),
}  # fmt: skip
# What a checkpoint says of its own head and of how it was saved: heads start anew, and a study says how it computes.
NOT_READ = frozenset(
    {"architectures", "dtype", "id2label", "label2id", "output_hidden_states", "problem_type", "return_dict"}
)  # fmt: skip


def read_keys(config: Mapping[str, Any]) -> dict[str, Any]:
    """The settings that a loader is given; a number for padding that no token has is none (nothing is padded here)."""
    read = {key: value for key, value in config.items() if key in KEYS}
    if "pad_token_id" in read and not is_token(read["pad_token_id"], config):
        read["pad_token_id"] = None
    return read


def is_token(number: Any, config: Mapping[str, Any]) -> bool:
    """Whether a number is that of a token of the model's vocabulary."""
    vocabulary = config.get("vocab_size", 0)
    return isinstance(number, int) and not isinstance(number, bool) and 0 <= number < vocabulary
