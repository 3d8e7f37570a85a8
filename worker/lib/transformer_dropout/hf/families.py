"""Where each supported model family keeps its layers, attention, feed-forward block and head: data, and how to
look it up.

Read from transformers 5.23. Only the first layer's input counts as the `input` position, so that it means the same
in every family; the `hidden` position is what the feed-forward block adds to the residual stream.
"""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from transformer_dropout.errors import UnsupportedModelError


@dataclass(frozen=True)
class Family:
    """Module paths of one model family.

    entry: from the backbone to the module that sees attention_mask and loops over layers.  layers: from the entry.
    attention, ffn_output (its output is what the residual adds), ffn_inner (its input is the activation): from a layer.
    """

    name: str
    entry: str
    layers: str
    attention: str
    ffn_output: str
    ffn_inner: str
    decoder: bool


def _bert_like(name: str) -> Family:
    return Family(name, "", "encoder.layer", "attention.self", "output.dense", "output.dense", False)


def _llama_like(name: str, ffn_output: str = "mlp.down_proj") -> Family:
    return Family(name, "", "layers", "self_attn", ffn_output, "mlp.down_proj", True)


FAMILIES: dict[str, Family] = {
    family.name: family
    for family in (
        _bert_like("bert"),
        _bert_like("roberta"),
        _bert_like("xlm-roberta"),
        _bert_like("electra"),
        Family("distilbert", "", "transformer.layer", "attention", "ffn.lin2", "ffn.lin2", False),
        Family("gpt2", "", "h", "attn", "mlp.c_proj", "mlp.c_proj", True),
        Family("gpt_neox", "", "layers", "attention", "mlp.dense_4h_to_h", "mlp.dense_4h_to_h", True),
        Family("opt", "decoder", "layers", "self_attn", "fc2", "fc2", True),
        _llama_like("llama"),  # SmolLM and SmolLM2 are Llama models
        _llama_like("mistral"),
        _llama_like("qwen2"),
        _llama_like("qwen3"),
        _llama_like("smollm3"),
        _llama_like("phi3"),
        # Gemma 2 normalises the feed-forward output before it joins the residual stream.
        _llama_like("gemma2", ffn_output="post_feedforward_layernorm"),
    )
}

_WRAPPED = "_checkpoint_wrapped_module"  # what torch's checkpoint_wrapper holds, and hands on the attributes of

_REFUSED = {
    "deberta": "its attention does not go through transformers' attention interface",
    "deberta-v2": "its attention does not go through transformers' attention interface",
    "t5": "encoder-decoders are not supported",
    "bart": "encoder-decoders are not supported",
    "mbart": "encoder-decoders are not supported",
    "pegasus": "encoder-decoders are not supported",
    "marian": "encoder-decoders are not supported",
}


def family_of(config: Any) -> Family:
    """Return the family of a transformers config; raises UnsupportedModelError naming the model type."""
    name = str(getattr(config, "model_type", "") or type(config).__name__)
    reason = _REFUSED.get(name)
    if reason is None and getattr(config, "is_encoder_decoder", False):
        reason = "encoder-decoders are not supported"
    if reason is None and name in FAMILIES:
        if getattr(config, "chunk_size_feed_forward", 0):
            reason = "it runs its feed-forward block in chunks; set config.chunk_size_feed_forward = 0"
        elif getattr(config, "add_cross_attention", False):
            reason = "it has cross-attention, which only encoder-decoders need"
        elif getattr(config, "reorder_and_upcast_attn", False):
            reason = "it computes attention in an order of its own; set config.reorder_and_upcast_attn = False"
        else:
            return FAMILIES[name]
    known = ", ".join(FAMILIES)
    raise UnsupportedModelError(f"'{name}' cannot be hooked: {reason or 'its layout is not known'}. Known: {known}")


def is_decoder(config: Any) -> bool:
    """Return whether the model looks only backwards."""
    return family_of(config).decoder or bool(getattr(config, "is_decoder", False))


def unwrapped(model: nn.Module) -> Any:
    """Return the transformers model inside a PEFT wrapper, or the model itself."""
    inner = getattr(model, "get_base_model", None)
    found: nn.Module = inner() if callable(inner) else model
    if not hasattr(found, "config"):
        raise UnsupportedModelError(f"{type(model).__name__} is not a transformers model: it has no config")
    return found


def entry_module(model: nn.Module) -> nn.Module:
    """Return the module whose forward runs once a pass and sees the attention mask."""
    base = unwrapped(model)
    family = family_of(base.config)
    backbone: nn.Module = getattr(base, str(getattr(base, "base_model_prefix", "")), base)
    try:
        return backbone.get_submodule(family.entry)
    except AttributeError:
        return backbone  # a bare inner model, such as OPTDecoder


def layer_modules(model: nn.Module) -> list[nn.Module]:
    """Return the transformer layers, first to last; raises UnsupportedModelError for an unexpected layout."""
    family = family_of(unwrapped(model).config)
    return list(_submodule(entry_module(model), family.layers, family).children())


def layer_count(model: nn.Module) -> int:
    """Return the number of transformer layers."""
    return len(layer_modules(model))


def attention_modules(model: nn.Module) -> list[Any]:
    """Return the self-attention module of every layer."""
    family = family_of(unwrapped(model).config)
    found = [_submodule(layer, family.attention, family) for layer in layer_modules(model)]
    return [getattr(module, _WRAPPED, module) for module in found]


def hidden_modules(model: nn.Module, place: str = "ffn_output") -> list[nn.Module]:
    """Return, for every layer, the module whose output is the FFN output, or whose input is the FFN activation.

    place: 'ffn_output' or 'ffn_inner'.
    """
    family = family_of(unwrapped(model).config)
    path = family.ffn_output if place == "ffn_output" else family.ffn_inner
    return [_submodule(layer, path, family) for layer in layer_modules(model)]


def head_module(model: nn.Module) -> nn.Module:
    """Return the last linear layer of the head, whose input is the `output` position.

    Raises UnsupportedModelError for a model without a head.
    """
    base = unwrapped(model)
    for name in ("classifier", "score", "qa_outputs"):
        head: Any = getattr(base, name, None)
        if head is not None:
            trained: Any = getattr(head, "modules_to_save", None)  # PEFT trains a copy of the head
            if trained is not None:
                head = trained[head.active_adapters[0]]
            last: nn.Module = getattr(head, "out_proj", head)
            return last
    find: Any = getattr(base, "get_output_embeddings", None)
    embeddings = find() if find else None
    if isinstance(embeddings, nn.Module):
        return embeddings
    raise UnsupportedModelError(f"{type(base).__name__} has no head, so nothing can be dropped before it")


def next_token_logits(model: nn.Module, hidden: torch.Tensor) -> torch.Tensor:
    """Return what a causal language model's head makes of its backbone's output `[B, L, E]`."""
    base = unwrapped(model)
    logits: torch.Tensor = head_module(model)(hidden)
    bound: float | None = getattr(base.config, "final_logit_softcapping", None)  # Gemma 2
    return logits if bound is None else torch.tanh(logits / bound) * bound


def predicts_next(model: nn.Module) -> bool:
    """Return whether the model's logits at one position predict the label at the next."""
    return type(unwrapped(model)).__name__.endswith(("ForCausalLM", "LMHeadModel"))


def adapted_modules(model: nn.Module) -> list[list[Any]]:
    """Return, for every layer, the modules that carry a LoRA adapter (`lora_A`), in `named_modules` order."""
    return [[module for module in layer.modules() if _adapted(module)] for layer in layer_modules(model)]


def adapter_downs(model: nn.Module) -> list[list[nn.Module]]:
    """Return the first matrices (A) of the active adapters by layer.

    Raises UnsupportedModelError for adapters that these do not stand for: DoRA's, aLoRA's, those outside the layers.
    """
    found: list[list[nn.Module]] = []
    inside = set()
    for modules in adapted_modules(model):
        found.append([])
        for number in range(max((len(module.active_adapters) for module in modules), default=0)):
            for module in modules:
                inside.add(id(module))
                names = [name for name in module.active_adapters if name in module.lora_A]
                if number < len(names):
                    _refuse_by_name(module, names[number])
                    found[-1].append(module.lora_A[names[number]])
    for name, module in unwrapped(model).named_modules():
        if _adapted(module) and id(module) not in inside:
            raise UnsupportedModelError(
                f"the adapter of {name} is outside the layers, where no adapter site reaches: leave {name} out of "
                "target_modules, or use PEFT's lora_dropout instead of the site"
            )
    return found


def _adapted(module: Any) -> bool:
    adapters = getattr(module, "lora_A", None)
    return isinstance(adapters, nn.ModuleDict) and len(adapters) > 0


def _refuse_by_name(module: Any, adapter: str) -> None:
    if getattr(module, "use_dora", {}).get(adapter):
        raise UnsupportedModelError(
            "DoRA runs its adapters on a matrix of their own besides the tokens, so nothing can be dropped in them: "
            "use a plain LoRA adapter, or another position"
        )
    if type(getattr(module, "lora_variant", {}).get(adapter)).__name__.startswith("ALora"):
        raise UnsupportedModelError(
            "aLoRA runs its adapters on the tokens after the invocation only, without rows, so no mask of rows fits "
            "them: use a plain LoRA adapter, or another position"
        )


def _submodule(root: nn.Module, path: str, family: Family) -> nn.Module:
    try:
        return root.get_submodule(path)
    except AttributeError:
        raise UnsupportedModelError(
            f"{type(root).__name__} has no '{path}', where {family.name} models keep it; "
            "this version of transformers lays the model out differently"
        ) from None
