"""Generation in training mode, which trains nothing: `generate` tells the clock that it runs."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from torch import nn

from . import families
from .context import Clock
from .injection import Injection


@dataclass(frozen=True)
class Generation:
    """Stands in for a model's `generate`; without a cache its passes look like any others."""

    clock: Clock
    model: nn.Module

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Generate as the model does."""
        kind: Any = type(self.model)
        with self.clock.generation():
            return kind.generate(self.model, *args, **kwargs)


def hook_generation(injection: Injection) -> None:
    """Put a Generation in front of the model's `generate`, where it has one and nobody else did."""
    base: nn.Module = families.unwrapped(injection.model)
    if hasattr(type(base), "generate") and "generate" not in base.__dict__:
        base.__dict__["generate"] = Generation(injection.clock, base)
        injection.on_removal(partial(unhook_generation, base))


def unhook_generation(model: nn.Module) -> None:
    """Take it out again."""
    if isinstance(model.__dict__.get("generate"), Generation):
        del model.__dict__["generate"]
