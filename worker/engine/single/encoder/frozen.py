"""A frozen linear layer as one product there and one back, its weight laid out once in the blocks that oneDNN reads.

oneDNN copies a plain weight into blocks at every call, which is a tenth of a small product. In bf16 the results are the
same in every bit; the blocks cost the weight's memory once more each way, so that large models go without.
"""

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor, nn
from torch.nn import functional as F

BLOCKED_BYTES = 512 << 20  # what the blocks of one model may take


class Frozen:
    """x [M, in] to [M, out] with weight [out, in] and bias [out]. blocked: keep the weight in blocks, too."""

    def __init__(self, weight: Tensor, bias: Tensor | None, blocked: bool) -> None:
        self.weight, self.bias, self.blocked = weight, bias, blocked

    def __call__(self, x: Tensor) -> Tensor:
        """The product with its bias, [M, out]."""
        if self.blocked:
            return _product(x, self._there, self.bias)
        return _linear(x, self.weight, self.bias)

    def gelu(self, x: Tensor) -> Tensor:
        """The product with its bias and then GELU, [M, out], in one go where oneDNN computes."""
        return _product(x, self._there, self.bias, gelu=True) if self.blocked else F.gelu(self(x))

    def back(self, grad: Tensor, into: Tensor | None = None) -> Tensor:
        """The gradient of the input [M, in] from grad [M, out], plus `into` where that is given, which is used up."""
        if self.blocked:
            return _product(grad, self._back, None, into)
        if grad.dtype == torch.float32:
            product = _linear(grad, self.weight.t(), None)  # oneDNN reads the weight as it lies
            return product if into is None else into.add_(product)
        return grad @ self.weight if into is None else into.addmm_(grad, self.weight)

    def rows(self, start: int, stop: int) -> "Frozen":
        """The layer that gives outputs `start` to `stop` alone."""
        return Frozen(self.weight[start:stop], None if self.bias is None else self.bias[start:stop], self.blocked)

    @cached_property
    def _there(self) -> Tensor:
        return _blocks(self.weight)

    @cached_property
    def _back(self) -> Tensor:
        return _blocks(self.weight.t().contiguous())


def can_block(modules: Sequence[nn.Module]) -> bool:
    """Whether the weights of these linear layers may be kept in blocks: where oneDNN computes, and memory allows."""
    weights: list[Tensor] = [module.get_parameter("weight") for module in modules]
    size = sum(weight.numel() * weight.element_size() for weight in weights)
    return all(_has_onednn(weight) for weight in weights) and 2 * size <= BLOCKED_BYTES


def _linear(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """x [M, in] to [M, out]. On a CPU fp32 goes to oneDNN, whose products are twice as fast on some processors."""
    if x.dtype == torch.float32 and _has_onednn(x):
        return _product(x, weight, bias)
    return F.linear(x, weight, bias)


def _has_onednn(x: Tensor) -> bool:
    if x.device.type != "cpu" or not torch.backends.mkldnn.is_available():  # type: ignore[no-untyped-call]
        return False
    return x.dtype == torch.float32 or (x.dtype == torch.bfloat16 and torch.ops.mkldnn._is_mkldnn_bf16_supported())


def _product(x: Tensor, weight: Tensor, bias: Tensor | None, plus: Tensor | None = None, gelu: bool = False) -> Tensor:
    found: Tensor
    if plus is None:
        then = "gelu" if gelu else "none"
        found = torch.ops.mkldnn._linear_pointwise(x, weight, bias, then, [], "none")
    else:
        found = torch.ops.mkldnn._linear_pointwise.binary(x, plus, weight, bias, "add")
    return found


def _blocks(weight: Tensor) -> Tensor:
    found: Tensor = torch.ops.mkldnn._reorder_linear_weight(weight)
    return found
