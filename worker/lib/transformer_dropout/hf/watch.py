"""What the passes of a consistency loss were called with and gave, whatever the trainer around them hands on.

A trainer may return logits of a pass without gradient, or none at all because it fuses the head with the loss (TRL).
The backbone's output is there in every case, and the logits are one product away from it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import torch
from torch import nn

from transformer_dropout.errors import InjectionError
from transformer_dropout.spec import Consistency

from .context import Clock, bound, untraced


@dataclass
class Call:
    """One call of the model.

    whole: positional and named arguments of the model that the method was put into, None where only its backbone was
    called.  arguments: of the transformers model inside, by name.  hidden: the backbone's output, None before it.
    """

    whole: tuple[tuple[Any, ...], dict[str, Any]] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    hidden: torch.Tensor | None = None
    outputs: Any = None

    @property
    def trained(self) -> bool:
        """Whether the pass recorded a graph."""
        return self.hidden is not None and self.hidden.requires_grad


class Watch:
    """Hooks of a method with a consistency loss: they keep its calls while asked to, and refuse a step without it."""

    def __init__(self, clock: Clock, consistency: Consistency) -> None:
        self.clock = clock
        self.consistency = consistency
        self._calls: list[Call] | None = None
        self._whole: tuple[tuple[Any, ...], dict[str, Any]] = ((), {})
        self._open: Call | None = None

    @contextmanager
    def calls(self) -> Iterator[list[Call]]:
        """Collect the calls inside that drop something or are meant to be clean."""
        before, self._calls = self._calls, []
        try:
            yield self._calls
        finally:
            self._calls, self._open, self._whole = before, None, ((), {})

    @untraced
    def enter(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Forward pre-hook of the model that the method was put into."""
        if self._calls is not None:
            self._whole = args, kwargs

    @untraced
    def begin(self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Forward pre-hook of the transformers model."""
        if self._calls is not None:
            self._open = Call(self._whole, bound(module, args, kwargs))

    @untraced
    def middle(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Forward hook of the backbone: a trained first pass must not be all there is of its step."""
        hidden = output[0] if isinstance(output, tuple) else getattr(output, "last_hidden_state", None)
        context = self.clock.current
        if not isinstance(hidden, torch.Tensor):
            return
        if self._open is not None:
            self._open.hidden = hidden
        elif self._calls is not None and (context is not None or self.clock.clean):
            self._calls.append(Call(hidden=hidden))
        if context is not None and context.draw.pass_index == 0 and hidden.requires_grad:
            hidden.register_hook(partial(self._demand_pair, context.draw.step))  # type: ignore[no-untyped-call]  # torch ships it without types

    @untraced
    def end(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> None:
        """Forward hook of the transformers model."""
        if self._open is not None and self._calls is not None and (self.clock.current or self.clock.clean):
            self._open.outputs = output
            self._calls.append(self._open)
        self._open = None

    def _demand_pair(self, step: int, gradient: torch.Tensor) -> None:
        if self.clock.paired < step:
            kind = self.consistency.kind
            raise InjectionError(
                f"the method has a consistency loss ('{kind}'), and this step is trained without it: use "
                "ConsistencyTrainer, or class MyTrainer(ConsistencyMixin, ...) round your Trainer, or two_pass_loss "
                "in your own loop; to train without it give the method consistency=Consistency('none')"
            )
