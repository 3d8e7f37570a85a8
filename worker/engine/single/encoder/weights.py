"""The frozen weights of a BERT-type encoder, laid out for few large products, and which layers carry adapters."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformer_dropout.hf.families import family_of, layer_modules, unwrapped

from worker.engine.hooks import NativeDropout
from worker.engine.single.encoder.frozen import Frozen, can_block
from worker.engine.target import Target

FAMILIES = frozenset({"bert", "roberta", "xlm-roberta"})
# Paths of a layer's linear modules; the first three are one product.
QUERY, KEY, VALUE = "attention.self.query", "attention.self.key", "attention.self.value"
ATTENTION_OUT, FFN_IN, FFN_OUT = "attention.output.dense", "intermediate.dense", "output.dense"
QKV = (QUERY, KEY, VALUE)
PATHS = (*QKV, ATTENTION_OUT, FFN_IN, FFN_OUT)


@dataclass(frozen=True)
class Norm:
    """A layer norm."""

    weight: Tensor
    bias: Tensor
    eps: float


@dataclass(frozen=True)
class LayerWeights:
    """One encoder layer."""

    qkv: Frozen  # query, key and value in one
    query: Frozen
    known: Frozen  # key and value in one
    out: Frozen
    inner: Frozen
    outer: Frozen
    norms: tuple[Norm, Norm]
    native_out: NativeDropout | None  # dropout on the attention block's output
    native_outer: NativeDropout | None  # dropout on the feed-forward output
    native_attention: float
    targets: dict[str, Target]  # by path within the layer


def fits(model: nn.Module) -> bool:
    """Whether the model is built of layers that this path knows."""
    config = unwrapped(model).config
    if family_of(config).name not in FAMILIES or getattr(config, "is_decoder", False):
        return False
    return config.hidden_act == "gelu" and getattr(config, "position_embedding_type", "absolute") == "absolute"


def read_layers(model: nn.Module, targets: Sequence[Target]) -> list[LayerWeights]:
    """The layers of a model that `fits`. Query, key and value become views of one matrix: nothing is stored twice."""
    by_module = {id(target.module): target for target in targets}
    layers = layer_modules(model)
    blocked = can_block([layer.get_submodule(path) for layer in layers for path in PATHS])
    return [_layer(layer, by_module, blocked) for layer in layers]


def native_of(module: nn.Module) -> NativeDropout | None:
    """The native dropout that a hooked dropout module stands for; None where its rate is 0."""
    found = getattr(module.forward, "__self__", None)
    return found if isinstance(found, NativeDropout) else None


def _layer(layer: nn.Module, by_module: dict[int, Target], blocked: bool) -> LayerWeights:
    modules = {path: layer.get_submodule(path) for path in PATHS}
    qkv = Frozen(*_fused([modules[path] for path in QKV]), blocked)
    width = len(qkv.weight) // len(QKV)
    out, inner, outer = (
        Frozen(modules[path].get_parameter("weight"), modules[path].get_parameter("bias"), blocked)
        for path in (ATTENTION_OUT, FFN_IN, FFN_OUT)
    )
    return LayerWeights(
        qkv=qkv,
        query=qkv.rows(0, width),
        known=qkv.rows(width, 3 * width),
        out=out,
        inner=inner,
        outer=outer,
        norms=(_norm(layer, "attention.output.LayerNorm"), _norm(layer, "output.LayerNorm")),
        native_out=native_of(layer.get_submodule("attention.output.dropout")),
        native_outer=native_of(layer.get_submodule("output.dropout")),
        native_attention=float(layer.get_submodule("attention.self.dropout").p),  # type: ignore[arg-type]
        targets={path: by_module[id(module)] for path, module in modules.items() if id(module) in by_module},
    )


def _fused(modules: list[nn.Module]) -> tuple[Tensor, Tensor]:
    """One matrix of several modules of equal width, whose parameters become views of it."""
    weights: list[Tensor] = [module.get_parameter("weight") for module in modules]
    biases: list[Tensor] = [module.get_parameter("bias") for module in modules]
    size = weights[0].shape[0]
    whole, whole_bias = torch.cat(weights), torch.cat(biases)
    for at, (weight, bias) in enumerate(zip(weights, biases, strict=True)):
        weight.data = whole[at * size : (at + 1) * size]
        bias.data = whole_bias[at * size : (at + 1) * size]
    return whole, whole_bias


def _norm(layer: nn.Module, path: str) -> Norm:
    module = layer.get_submodule(path)
    return Norm(module.get_parameter("weight"), module.get_parameter("bias"), float(module.eps))  # type: ignore[arg-type]
