"""A linear layer of the frozen base that gets adapters: where it is, and how its own forward comes back."""

from abc import ABC, abstractmethod

from torch import Tensor, nn


class Target(ABC):
    """A layer with an adapter's place on it; what the adapter adds is said by each form.

    The module stays what it is, under its name; only its forward is replaced. `weight` is [out, in]: the layer's own,
    or a transposed view of GPT-2's `Conv1D`.
    """

    def __init__(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int) -> None:
        """ordinal: number among all targets; place: number among those of its layer."""
        self.module, self.name, self.ordinal, self.layer, self.place = module, name, ordinal, layer, place
        weight = module.get_parameter("weight")
        self.weight = weight if isinstance(module, nn.Linear) else weight.t()
        self.bias: Tensor | None = getattr(module, "bias", None)
        module.forward = self.forward  # torch calls the instance's own

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in) of the layer."""
        out, into = self.weight.shape
        return int(out), int(into)

    def release(self) -> None:
        """Give the module its own forward back."""
        del self.module.forward

    @abstractmethod
    def forward(self, x: Tensor) -> Tensor:
        """x [..., in] to [..., out], with what the adapters of the current pass add."""
