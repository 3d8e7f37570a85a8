"""The base model's own dropout, drawn from the injection's masks where torch's generator is slow.

On a CPU `nn.Dropout` takes 7 ns an element, a third of a step of a small encoder. Same rates, places and distribution;
masks depend on the injection's seed and step alone. On other devices torch's dropout is fused and stays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
import torch.nn.functional as F
from torch import nn

from transformer_dropout.functional import drop_hidden
from transformer_dropout.masks import native_keep

from . import families
from .context import Clock, untraced
from .injection import Injection

_ORIGINAL = "original_module"  # PEFT's name within the wrapper of `modules_to_save`


@dataclass(frozen=True)
class RedrawnDropout:
    """The forward of dropout module number `ordinal`; its rate is read at every call."""

    module: nn.Dropout
    clock: Clock
    ordinal: int

    @untraced
    def forward(self, input: torch.Tensor) -> torch.Tensor:  # named as in nn.Dropout
        """Return `input` `[..., E]` dropped in training, as it is otherwise."""
        module = self.module
        if not module.training or module.p == 0.0:
            return input
        context = self.clock.here()
        if context is None or input.device.type != "cpu" or module.p >= 1.0 or input.dim() < 2:
            return F.dropout(input, module.p, True)
        call = context.call_of(self.ordinal)
        keep = native_keep(context.draw, self.ordinal, call, module.p, context.drawn, input.shape)
        return drop_hidden(input, keep, 1.0 / (1.0 - module.p))


def redraw_native(injection: Injection) -> tuple[str, ...]:
    """Make the base model's dropout modules draw from the injection's masks, and return their names and rates.

    They are numbered as in the model without PEFT: of a head that PEFT copied to train it, the original that nobody
    calls has no number of its own.
    """
    found = [
        (name, module)
        for name, module in injection.model.named_modules()
        if isinstance(module, nn.Dropout)
        and module.p > 0.0
        and "lora_dropout" not in name
        and _ORIGINAL not in name.split(".")
    ]
    for ordinal, (_, module) in enumerate(found):
        _replace_forward(injection, module, RedrawnDropout(module, injection.clock, ordinal))
    return tuple(f"{name} {module.p:g}" for name, module in found)


def native_attention_rate(module: nn.Module) -> float:
    """Return the dropout on attention weights that a self-attention module hands to its kernel."""
    for name in ("dropout", "attn_dropout", "attention_dropout"):
        found = getattr(module, name, None)
        rate = getattr(found, "p", found)
        if isinstance(rate, float | int):
            return float(rate)
    return 0.0


def drops_attention(injection: Injection) -> bool:
    """Return whether the base model drops attention weights and is to."""
    return injection.spec.native and any(map(native_attention_rate, families.attention_modules(injection.model)))


def _replace_forward(injection: Injection, module: nn.Module, dropout: RedrawnDropout) -> None:
    injection.on_removal(partial(_restore_forward, module, module.__dict__.get("forward")))
    module.__dict__["forward"] = dropout.forward


def _restore_forward(module: nn.Module, before: Callable[..., Any] | None) -> None:
    """Put back what somebody else (accelerate) had put on the module, or nothing."""
    if before is None:
        module.__dict__.pop("forward", None)
    else:
        module.__dict__["forward"] = before
