"""Tiny random models of real classes, saved as folders with a word tokenizer."""

from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer, models, pre_tokenizers, processors
from transformers import AutoConfig, AutoModel, AutoModelForCausalLM, PreTrainedTokenizerFast

from backend.catalogue import register as registry
from backend.shared.catalogue.inspect_model import Naming, inspect_folder
from backend.shared.catalogue.models import write_manifest
from backend.shared.facts import ModelFacts

WORDS = ("[PAD]", "[UNK]", "[CLS]", "[SEP]", *"abcdefgh", "good", "bad", "film", "plot", "very", "not", "\n")
_PLAIN = {
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "intermediate_size": 64,
    "vocab_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": 0,
    "bos_token_id": 2,
    "eos_token_id": 3,
}
_OWN: dict[str, dict[str, Any]] = {
    "electra": {"embedding_size": 16},
    "opt": {"ffn_dim": 64, "word_embed_proj_dim": 32},
    **{family: {"num_key_value_heads": 2} for family in ("llama", "mistral", "qwen2", "smollm3", "phi3")},
    "qwen3": {"num_key_value_heads": 2, "head_dim": 8},
}
_RENAMED = {
    "gpt2": {"n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "vocab_size": 32},
    "distilbert": {
        "dim": 32,
        "n_layers": 2,
        "n_heads": 4,
        "hidden_dim": 64,
        "vocab_size": 32,
        "max_position_embeddings": 64,
        "pad_token_id": 0,
    },
}
DECODERS = ("gpt2", "llama", "mistral", "qwen2", "qwen3", "smollm3", "phi3", "opt", "gpt_neox")


def tiny_tokenizer(encoder: bool = True) -> PreTrainedTokenizerFast:
    """A word tokenizer; an encoder's puts [CLS] and [SEP] around."""
    inner = Tokenizer(models.WordLevel({word: i for i, word in enumerate(WORDS)}, unk_token="[UNK]"))
    inner.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split("\n", "isolated"), pre_tokenizers.Split(" ", "removed")]
    )
    if encoder:
        inner.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    names = {"unk_token": "[UNK]", "pad_token": "[PAD]"} if encoder else {"unk_token": "[UNK]"}
    return PreTrainedTokenizerFast(tokenizer_object=inner, eos_token="[SEP]", bos_token="[CLS]", **names)


def tiny_config(family: str) -> Any:
    """The config of a two-layer model of the family, 32 features wide."""
    sizes = _RENAMED.get(family) or _PLAIN | _OWN.get(family, {})
    return AutoConfig.for_model(family, **sizes)


def save_tiny(folder: Path, family: str) -> Path:
    """Save a random model of a family: an encoder without a head, a decoder with its language-model head."""
    torch.manual_seed(0)
    decoder = family in DECODERS
    model = (AutoModelForCausalLM if decoder else AutoModel).from_config(tiny_config(family))
    model.save_pretrained(folder)
    tiny_tokenizer(not decoder).save_pretrained(folder)
    return folder


def register_tiny(home: Path, folder: Path, model_id: str) -> ModelFacts:
    """Register a saved folder as the registry does, without its database."""
    naming = Naming(model_id, model_id, False, "local folder", registry.UNKNOWN_LICENCE)
    facts = inspect_folder(folder, naming, home / "cache")
    write_manifest(home, facts, folder)
    return facts
