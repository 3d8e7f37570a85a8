"""What the hooks in the base model read during one forward pass: whose adapters, which layout, what is dropped."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from torch import Tensor

ADAPTER = ("adapter_input", "adapter_rank")  # positions of sites that lie in the adapters
# Passes of one step: 0, and 1 in the second pass of a consistency loss; the probe slice with dropout on has its own.
SLICE_PASS = 2

LayoutT = TypeVar("LayoutT")
AdapterT = TypeVar("AdapterT")
DropsT = TypeVar("DropsT")


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
    """The state of a pass as the hooks see it."""

    @property
    def drops(self) -> Dropping | None:
        """None: evaluation."""


@dataclass(frozen=True)
class Adapter:
    """One slot's pair for one linear layer: `down` [r, in], `up` [out, r], both in the compute dtype."""

    down: Tensor
    up: Tensor
    scaling: float


@dataclass(frozen=True)
class LaneAdapters:
    """The pairs of A lanes for one linear layer, padded with zeros to rank R, in the compute dtype."""

    down: Tensor  # [A, R, in]
    up: Tensor  # [A, out, R]
    scaling: Tensor  # fp32 [A, 1, 1]


@dataclass
class PassState(Generic[LayoutT, AdapterT, DropsT]):
    """Set before a pass and emptied after it; a base model has one. Each form has layouts and dropout of its own.

    adapters: by number of the linear layer that they are for.
    """

    layout: LayoutT | None = None
    adapters: Sequence[AdapterT] | None = None
    drops: DropsT | None = None  # None: evaluation
