"""All that the runs of a stack train, [K, P] fp32: each run's tensors padded with zeros to the widest rank."""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from worker.engine.parameters import Parameters, Shape


@dataclass(frozen=True)
class _Columns:
    """Where a tensor lies in a row."""

    shape: Shape  # padded
    start: int
    stop: int


class StackTensors:
    """Values, gradients and compute copies of K slots.

    values [K, P]: adapter tensors first, then head weights, then what does not decay, as in `Parameters`.  leaf(name)
    [K, ...]: what the forward pass uses.  A rank's padding starts at zero, and since
    its gradient is then exactly zero, it adds nothing to norms, does not decay and stays zero.
    """

    def __init__(self, shapes: Sequence[Shape], slots: int, dtype: torch.dtype, device: torch.device) -> None:
        """shapes: at the widest rank."""
        order = Parameters(shapes, dtype).shapes
        self.slots, self.device = slots, device
        self._places: dict[str, _Columns] = {}
        offset = 0
        for shape in order:
            size = _count(shape.sizes)
            self._places[shape.name] = _Columns(shape, offset, offset + size)
            offset += size
        self.count = offset
        self.decayed = sum(_count(shape.sizes) for shape in order if shape.decays)
        self._cast = sum(_count(s.sizes) for s in order if s.in_adapter) if dtype != torch.float32 else 0
        self.values = torch.zeros(slots, self.count, device=device)
        self.grad = torch.zeros(slots, self.count, device=device)
        self._compute = torch.zeros(slots, self._cast, dtype=dtype, device=device)
        self._leaves = {name: self._leaf(place) for name, place in self._places.items()}

    def _leaf(self, place: _Columns) -> Tensor:
        values = self._compute if place.start < self._cast else self.values
        leaf: Tensor = self._view(values, place).detach()
        return leaf.requires_grad_()

    def _view(self, rows: Tensor, place: _Columns) -> Tensor:
        return rows[:, place.start : place.stop].view(self.slots, *place.shape.sizes)

    def leaf(self, name: str) -> Tensor:
        """The tensor [K, ...] that the forward pass uses; its gradient lands in this object."""
        return self._leaves[name]

    def refresh(self) -> None:
        """Bring the compute copies up to date with the values."""
        if self._cast:
            self._compute.copy_(self.values[:, : self._cast])

    def backward(self, loss: Tensor) -> Tensor:
        """The gradient [K, P] fp32 of `loss`, in a buffer that the next call overwrites."""
        leaves = list(self._leaves.values())
        found = torch.autograd.grad(loss, leaves, allow_unused=True)
        for place, grad in zip(self._places.values(), found, strict=True):
            into = self._view(self.grad, place)
            if grad is None:
                into.zero_()
            else:
                into.copy_(grad)
        return self.grad

    def padded(self, shapes: Sequence[Shape], flat: Tensor) -> Tensor:
        """A slot's flat vector [n] in the order of `Parameters`, as a row [P]."""
        row = torch.zeros(self.count, dtype=flat.dtype)
        start = 0
        for shape in shapes:
            size, place = _count(shape.sizes), self._places[shape.name]
            self._corner(row, place, shape).copy_(flat[start : start + size].view(shape.sizes))
            start += size
        return row

    def flat(self, shapes: Sequence[Shape], row: Tensor) -> Tensor:
        """The opposite: a row [P] as the flat vector [n] of a slot with these shapes."""
        return torch.cat([self._corner(row, self._places[shape.name], shape).reshape(-1) for shape in shapes])

    def _corner(self, row: Tensor, place: _Columns, shape: Shape) -> Tensor:
        """The part of a row that a slot with `shape` uses."""
        whole = row[place.start : place.stop].view(place.shape.sizes)
        return whole[tuple(slice(0, size) for size in shape.sizes)]


def _count(sizes: tuple[int, ...]) -> int:
    found = 1
    for size in sizes:
        found *= size
    return found
