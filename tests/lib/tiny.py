"""Tiny random models of the real classes, one for every supported family."""

from typing import Any

import torch
import transformers
from torch import nn
from transformer_dropout.hf import FAMILIES

VOCABULARY = 60
ENCODERS = ("bert", "roberta", "xlm-roberta", "electra", "distilbert")
DECODERS = tuple(name for name in FAMILIES if name not in ENCODERS)

_GROUPED = {"num_key_value_heads": 2, "head_dim": 8}
_EXTRA: dict[str, tuple[str, dict[str, Any]]] = {
    "bert": ("BertConfig", {}),
    "roberta": ("RobertaConfig", {}),
    "xlm-roberta": ("XLMRobertaConfig", {}),
    "electra": ("ElectraConfig", {"embedding_size": 16}),
    "distilbert": ("DistilBertConfig", {}),
    "gpt2": ("GPT2Config", {"bos_token_id": 1, "eos_token_id": 2}),
    "gpt_neox": ("GPTNeoXConfig", {}),
    "opt": ("OPTConfig", {"word_embed_proj_dim": 32, "ffn_dim": 48}),
    "llama": ("LlamaConfig", _GROUPED),
    "mistral": ("MistralConfig", _GROUPED | {"sliding_window": 4}),
    "qwen2": ("Qwen2Config", _GROUPED),
    "qwen3": ("Qwen3Config", _GROUPED),
    "smollm3": ("SmolLM3Config", {"num_key_value_heads": 2}),
    "phi3": ("Phi3Config", {"num_key_value_heads": 2}),
    "gemma2": ("Gemma2Config", _GROUPED | {"sliding_window": 4, "attn_logit_softcapping": 2.0}),
}


def config(family: str, layers: int = 2, **options: Any) -> Any:
    """A config of `layers` layers, 32 wide, 4 heads."""
    name, extra = _EXTRA[family]
    values: dict[str, Any] = {"vocab_size": VOCABULARY, "pad_token_id": 0} | extra
    if family == "distilbert":
        values |= {"dim": 32, "n_layers": layers, "n_heads": 4, "hidden_dim": 48, "max_position_embeddings": 64}
    elif family == "gpt2":
        values |= {"n_embd": 32, "n_layer": layers, "n_head": 4, "n_positions": 64}
    else:
        values |= {"hidden_size": 32, "num_hidden_layers": layers, "num_attention_heads": 4}
        values |= {"intermediate_size": 48, "max_position_embeddings": 64} if family != "opt" else {}
    return getattr(transformers, name)(**(values | options))


def classifier(family: str, layers: int = 2, kernel: str = "sdpa", **options: Any) -> Any:
    """A sequence classifier; gemma2 has no sdpa kernel and takes eager."""
    torch.manual_seed(0)
    chosen = "eager" if family == "gemma2" else kernel
    kind = transformers.AutoModelForSequenceClassification
    return _louder(kind.from_config(config(family, layers, **options), attn_implementation=chosen))


def language_model(family: str, layers: int = 2, kernel: str = "sdpa", **options: Any) -> Any:
    """A causal language model."""
    torch.manual_seed(0)
    chosen = "eager" if family == "gemma2" else kernel
    kind = transformers.AutoModelForCausalLM
    return _louder(kind.from_config(config(family, layers, **options), attn_implementation=chosen))


def batch(rows: int = 3, width: int = 9, left: bool = False) -> dict[str, torch.Tensor]:
    """Rows of 9, 6, 4 (and so on) tokens, padded right or left."""
    torch.manual_seed(1)
    ids = torch.randint(3, VOCABULARY, (rows, width))
    mask = torch.ones_like(ids)
    for b in range(1, rows):
        gone = min(width - 1, 2 * b + 1)
        mask[b, slice(0, gone) if left else slice(width - gone, width)] = 0
    return {"input_ids": ids * mask, "attention_mask": mask}


def _louder(model: nn.Module) -> nn.Module:
    """Random initial weights are so small that attention hardly matters; make what is dropped visible."""
    with torch.no_grad():
        for parameter in model.parameters():
            if parameter.dim() > 1:
                parameter.mul_(4.0)
    return model
