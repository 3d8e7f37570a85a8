"""Where the engine enters a stock transformers model: adapters, attention, feed-forward, embeddings, dropout."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from torch import Tensor, nn
from transformer_dropout.hf.families import (
    attention_modules,
    head_module,
    hidden_modules,
    is_decoder,
    layer_modules,
    unwrapped,
)
from transformer_dropout.hf.redraw import native_attention_rate
from transformers import AttentionInterface, AttentionMaskInterface
from transformers.pytorch_utils import Conv1D

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from worker.engine.pass_state import Dropping, Hookable
from worker.engine.target import Target

StateT = TypeVar("StateT", bound=Hookable)
MakeTarget = Callable[[nn.Module, str, int, int, int], Target]  # module, name, ordinal, layer, place
_LAYER = "_dropscope_layer"


@dataclass(frozen=True)
class Hooked:
    """What was found and hooked."""

    attention_layers: int
    native_dropouts: int  # dropout modules of the base model with a rate above 0
    decoder: bool
    segments: bool  # the model has token type ids
    native_elsewhere: tuple[str, ...]  # dropout of the base model that is no module, so it cannot be switched on here


@dataclass(frozen=True)
class AttentionLayer(Generic[StateT]):
    """What an attention function knows of a module that calls it, and the state of the pass."""

    number: int
    causal: bool  # looks backwards only
    native_rate: float  # of the base model's own dropout on attention weights
    state: StateT

    @classmethod
    def of(cls, module: nn.Module) -> "AttentionLayer[StateT]":
        """Of a hooked module."""
        found: AttentionLayer[StateT] = getattr(module, _LAYER)
        return found


@dataclass(frozen=True)
class NativeDropout:
    """The base model's own dropout module number `ordinal`: off, unless the arm keeps native dropout on."""

    rate: float
    ordinal: int
    state: Hookable

    def forward(self, x: Tensor) -> Tensor:
        """x [..., E], dropped or as it is."""
        drops = self.state.drops
        return x if drops is None or not drops.native else drops.drop_native(self.ordinal, self.rate, x)


def hook(model: nn.Module, state: Hookable, name: str, attention: Callable[..., tuple[Tensor, None]]) -> Hooked:
    """Hook everything; `attention` takes the place of the model's own, registered with transformers as `name`.

    Without a mask function of the same name a model would silently ignore padding; ours makes none, for causality and
    padding are the attention function's own.

    Raises UnsupportedModelError or TrainingError where the model cannot be entered.
    """
    decoder = is_decoder(unwrapped(model).config)
    dropouts = _replace_dropouts(model, state)
    attentions = attention_modules(model)
    for layer, module in enumerate(attentions):
        about = AttentionLayer(layer, decoder, native_attention_rate(module), state)
        object.__setattr__(module, _LAYER, about)  # not by nn.Module's own, which looks for parameters in it
    AttentionInterface.register(name, attention)
    AttentionMaskInterface.register(name, _no_mask)
    model.set_attn_implementation(name)  # type: ignore[operator]  # transformers models have it
    for layer, module in enumerate(hidden_modules(model, "ffn_output")):
        module.register_forward_hook(_after(partial(_outer, layer), state))
    for layer, module in enumerate(hidden_modules(model, "ffn_inner")):
        module.register_forward_pre_hook(_before(partial(_inner, layer), state))
    embedding: nn.Module = model.get_input_embeddings()  # type: ignore[operator]  # transformers models have it
    embedding.register_forward_hook(_after(_noisy, state))
    layer_modules(model)[0].register_forward_pre_hook(_before(lambda drops, x: drops.embeddings(x), state))
    head_module(model).register_forward_pre_hook(_before(lambda drops, x: drops.features(x), state))
    return Hooked(
        attention_layers=len(attentions),
        native_dropouts=dropouts + sum(native_attention_rate(module) > 0 for module in attentions),
        decoder=decoder,
        segments=any(name.endswith("token_type_embeddings") for name, _ in model.named_modules()),
        native_elsewhere=_plain_rates(model, attentions),
    )


def layer_of(name: str) -> int:
    """Number of the layer that a module belongs to, from its name; 0 outside the layers."""
    return next((int(part) for part in name.split(".") if part.isdigit()), 0)


def make_targets(model: nn.Module, names: Sequence[str], make: MakeTarget) -> tuple[Target, ...]:
    """Put places for adapters on the linear layers `names`, which are in the model's order."""
    in_layer: dict[int, int] = {}
    found = []
    for ordinal, name in enumerate(names):
        layer = layer_of(name)
        place = in_layer[layer] = in_layer.get(layer, -1) + 1
        found.append(make(_linear(model, name), name, ordinal, layer, place))
    return tuple(found)


def _no_mask(*_args: object, **_kwargs: object) -> None:
    """No mask."""


def _linear(model: nn.Module, name: str) -> nn.Module:
    module = model.get_submodule(name)
    if not isinstance(module, nn.Linear | Conv1D):
        raise TrainingError(
            FailureCode.BAD_INPUT,
            f"{name} is a {type(module).__name__}; adapters go on linear layers. Change target_modules.",
        )
    return module


def _replace_dropouts(model: nn.Module, state: Hookable) -> int:
    found = [module for module in model.modules() if isinstance(module, nn.Dropout) and module.p > 0]
    for ordinal, module in enumerate(found):
        module.forward = NativeDropout(float(module.p), ordinal, state).forward  # type: ignore[assignment,method-assign]
    return len(found)


def _plain_rates(model: nn.Module, attentions: Sequence[nn.Module]) -> tuple[str, ...]:
    """Names of dropout rates that modules keep as plain numbers for a functional call; attention's are ours anyway."""
    known = {id(module) for module in attentions}
    return tuple(
        f"{name}.{attribute}"
        for name, module in model.named_modules()
        if id(module) not in known
        for attribute in ("dropout", "activation_dropout", "hidden_dropout", "layerdrop")
        if isinstance(rate := getattr(module, attribute, None), float) and rate > 0
    )


def _inner(layer: int, drops: Dropping, x: Tensor) -> Tensor:
    return drops.drop_hidden("ffn_inner", layer, x)


def _outer(layer: int, drops: Dropping, x: Tensor) -> Tensor:
    return drops.drop_hidden("ffn_output", layer, x)


def _noisy(drops: Dropping, x: Tensor) -> Tensor:
    return drops.noisy(x)


def _after(
    change: Callable[[Dropping, Tensor], Tensor], state: Hookable
) -> Callable[[nn.Module, object, Tensor], Tensor]:
    def after(_module: nn.Module, _args: object, output: Tensor) -> Tensor:
        return output if state.drops is None else change(state.drops, output)

    return after


def _before(
    change: Callable[[Dropping, Tensor], Tensor], state: Hookable
) -> Callable[[nn.Module, tuple[Tensor, ...]], tuple[Tensor, ...]]:
    def before(_module: nn.Module, args: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
        return args if state.drops is None else (change(state.drops, args[0]), *args[1:])

    return before
