"""What the hooks in the base model read during one forward pass: whose adapter, which layout, what is dropped."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from torch import Tensor

if TYPE_CHECKING:
    from worker.engine.packing import Layout
    from worker.engine.single.drops import Drops
    from worker.engine.single.lora import Adapter


class Dropping(Protocol):
    """What the hooks in stock modules ask of the dropout of a pass; x is [..., E]."""

    native: bool

    def noisy(self, x: Tensor) -> Tensor:
        """Word embeddings with noise."""

    def embeddings(self, x: Tensor) -> Tensor:
        """The first layer's input."""

    def drop_hidden(self, place: str, layer: int, x: Tensor) -> Tensor:
        """The feed-forward activation or output."""

    def drop_native(self, ordinal: int, rate: float, x: Tensor) -> Tensor:
        """What passes the base model's own dropout."""

    def features(self, x: Tensor) -> Tensor:
        """What the head reads."""


class Hookable(Protocol):
    """A stage as the hooks see it."""

    @property
    def drops(self) -> Dropping | None:
        """None: evaluation."""


@dataclass
class Stage:
    """Set by the host before a pass; one base model has one stage."""

    layout: Layout | None = None
    adapters: Sequence[Adapter | None] | None = None
    drops: Drops | None = None  # None: evaluation
