"""All that one slot trains: named views of one flat fp32 vector, with copies in the compute dtype for products."""

import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

_INIT_STREAM = 0x696E6974  # keeps the numbers of initialisation apart from those of the masks


@dataclass(frozen=True)
class Shape:
    """One trained tensor: its name in PEFT's file without prefix, its sizes, how it starts, and whether it decays."""

    name: str
    sizes: tuple[int, ...]
    start: str  # 'kaiming' (LoRA A), 'zero', 'normal'
    spread: float = 0.0  # standard deviation of 'normal'
    in_adapter: bool = True

    @property
    def decays(self) -> bool:
        """Biases do not decay, as in transformers' Trainer."""
        return len(self.sizes) > 1


class Parameters:
    """Values, gradients and compute copies of one slot.

    values [n] fp32: adapter tensors first, then head weights, then what does not decay.
    grad [n] fp32: filled by `collect`.  leaf(name): what the forward pass uses; adapter tensors in the compute dtype,
    the head in fp32.
    """

    def __init__(self, shapes: Sequence[Shape], dtype: torch.dtype) -> None:
        order = sorted(shapes, key=lambda s: (not s.decays, not s.in_adapter))
        sizes = [int(np.prod(s.sizes)) for s in order]
        self.shapes = tuple(order)
        self.count = sum(sizes)
        self.decayed = sum(n for n, s in zip(sizes, order, strict=True) if s.decays)
        self.values = torch.zeros(self.count)
        self.grad = torch.zeros(self.count)
        self._cast = sum(n for n, s in zip(sizes, order, strict=True) if s.in_adapter) if dtype != torch.float32 else 0
        self._compute = torch.zeros(self._cast, dtype=dtype)
        self._compute_grad = torch.zeros(self._cast, dtype=dtype)
        self._views: dict[str, Tensor] = {}
        self._leaves: dict[str, Tensor] = {}
        self._spans: list[slice] = []
        offset = 0
        for shape, size in zip(order, sizes, strict=True):
            span = slice(offset, offset + size)
            self._spans.append(span)
            self._views[shape.name] = self.values[span].view(shape.sizes)
            cast = offset < self._cast
            leaf = (self._compute if cast else self.values)[span].view(shape.sizes).detach()
            leaf.requires_grad_()
            leaf.grad = (self._compute_grad if cast else self.grad)[span].view(shape.sizes)
            self._leaves[shape.name] = leaf
            offset += size

    def initialise(self, seed: int) -> None:
        """Draw the starting values, each tensor from its own stream by rows: a low rank starts as the first rows."""
        for shape in self.shapes:
            if shape.start == "zero":
                self._views[shape.name].zero_()
                continue
            number = zlib.crc32(shape.name.encode())
            key = np.array([seed, _INIT_STREAM], dtype=np.uint64)
            draw = np.random.Generator(np.random.Philox(key=key, counter=np.array([0, 0, 0, number], dtype=np.uint64)))
            if shape.start == "kaiming":  # nn.init.kaiming_uniform_(a=√5), PEFT's start of lora_A
                values = (draw.random(shape.sizes) * 2 - 1) / np.sqrt(shape.sizes[1])
            else:
                values = draw.standard_normal(shape.sizes) * shape.spread
            self._views[shape.name].copy_(torch.from_numpy(values.astype(np.float32)))
        self.refresh()

    def put(self, tensors: Mapping[str, Tensor]) -> None:
        """Take over values by name.

        Raises:
            ValueError: a tensor of another shape, or one that is not trained here.
        """
        for name, tensor in tensors.items():
            view = self._views.get(name)
            if view is None or view.shape != tensor.shape:
                raise ValueError(f"{name} of {tuple(tensor.shape)} does not fit what is trained here")
            view.copy_(tensor)
        self.refresh()

    def refresh(self) -> None:
        """Bring the compute copies up to date with the values."""
        if self._cast:
            self._compute.copy_(self.values[: self._cast])

    def zero_grad(self) -> None:
        """Set all gradients to zero."""
        self.grad.zero_()
        self._compute_grad.zero_()

    def collect(self) -> Tensor:
        """Return the gradient of all values, [n] fp32."""
        if self._cast:
            self.grad[: self._cast].copy_(self._compute_grad)
        return self.grad

    def leaf(self, name: str) -> Tensor:
        """The tensor that the forward pass uses; its gradient lands in this object."""
        return self._leaves[name]

    def tensors(self, values: Tensor | None = None) -> dict[str, Tensor]:
        """Copies of all values by name, fp32; of these flat ones [n] where they are given."""
        flat = self.values if values is None else values
        return {
            name: flat[span].view(view.shape).clone()
            for (name, view), span in zip(self._views.items(), self._spans, strict=True)
        }

    def gradients(self) -> dict[str, Tensor]:
        """Views of the last collected gradient by name, fp32."""
        return {
            name: self.grad[span].view(view.shape)
            for (name, view), span in zip(self._views.items(), self._spans, strict=True)
        }

    def load(self, values: Tensor) -> None:
        """Take over a flat vector of values, [n]."""
        self.values.copy_(values)
        self.refresh()
