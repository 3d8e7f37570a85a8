"""Hooks that drop in vectors: hidden, input, output and adapter positions, and NEFTune's noise."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from transformer_dropout.errors import InjectionError, ShapeError
from transformer_dropout.functional import drop_hidden
from transformer_dropout.masks import embedding_noise, head_keep, vector_keep
from transformer_dropout.spec import Site

from .context import Clock, ForwardContext, untraced


@dataclass(frozen=True)
class VectorPlace:
    """One site at one module: what to drop, and with which numbers.

    place: tells the adapters of one layer apart, so that they draw different masks.
    """

    clock: Clock
    site: Site
    rate: float
    layer: int
    place: int = 0

    @untraced
    def after(self, module: nn.Module, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        """Forward hook: drop in the module's output."""
        return self._drop(module, output)

    @untraced
    def before(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Forward pre-hook: drop in the module's first input."""
        if args:
            return (self._drop(module, args[0]), *args[1:]), kwargs
        name = next(iter(kwargs))
        return args, {**kwargs, name: self._drop(module, kwargs[name])}

    @untraced
    def after_backbone(self, module: nn.Module, args: tuple[Any, ...], output: Any) -> Any:
        """Forward hook of a backbone: drop in its last layer's output."""
        if isinstance(output, tuple):
            return (self._drop(module, output[0]), *output[1:])
        output.last_hidden_state = self._drop(module, output.last_hidden_state)
        return output

    @untraced
    def before_tokens(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Forward pre-hook of a head that reads every token: drop in its input."""
        if self.clock.current is not None:
            self.clock.current.head = True
        return self.before(module, args, kwargs)

    @untraced
    def before_head(
        self, module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Forward pre-hook of a classifier: one mask a row, whether it sees `[B, E]` or every token `[B, L, E]`."""
        context = self.clock.here() if module.training else None
        if context is None:
            return args, kwargs
        x = args[0]
        context.head = True
        if x.shape[0] != context.rows.batch:
            raise InjectionError(f"the head got {x.shape[0]} rows, the model {context.rows.batch}")
        found = head_keep(self.site, self.rate, context.draw, x.shape[0], x.shape[-1])
        keep = found.keep if x.dim() == 2 else found.keep[:, None, :].expand_as(x)
        return (drop_hidden(x, keep, found.scale), *args[1:]), kwargs

    def _drop(self, module: nn.Module, x: torch.Tensor) -> torch.Tensor:
        context = self.clock.here() if module.training else None
        if context is None:
            return x
        check_tokens(x, context, module)
        context.reached += 1
        found = vector_keep(self.site, self.rate, context.draw, self.layer, context.drawn, x.shape[-1], self.place)
        scale = found.scale
        keep = found.keep
        if context.documents is not None:  # packed: a view is all that is missing
            keep = keep.view(*x.shape[:-1], -1)
            scale = scale if isinstance(scale, float) else scale.view(*x.shape[:-1], -1)
        elif x.dim() == 2:  # OPT flattens rows and tokens
            keep = keep.flatten(0, 1)
            scale = scale if isinstance(scale, float) else scale.flatten(0, 1)
        return drop_hidden(x, keep, scale)


@dataclass(frozen=True)
class NoisePlace:
    """NEFTune's noise on the input embeddings."""

    clock: Clock
    alpha: float

    @untraced
    def after(self, module: nn.Module, args: tuple[Any, ...], output: torch.Tensor) -> torch.Tensor:
        """Forward hook of the embedding: add the noise."""
        context = self.clock.here() if module.training else None
        if context is None:
            return output
        check_tokens(output, context, module)
        context.reached += 1
        noise = embedding_noise(self.alpha, context.draw, context.drawn, output.shape[-1])
        return output + noise.view(output.shape).to(output.dtype)


def check_tokens(x: torch.Tensor, context: ForwardContext, module: nn.Module) -> None:
    """Raise ShapeError unless `x` `[B, L, E]` or `[B L, E]` holds the tokens of the running pass."""
    cells = context.rows.batch * (context.rows.width or 0)
    if x.shape[:-1].numel() != cells:
        raise ShapeError(
            f"{type(module).__name__} got {tuple(x.shape)} where the model was given {context.rows.batch} rows of "
            f"{context.rows.width} tokens; this library hooks models that keep every token through every layer"
        )
