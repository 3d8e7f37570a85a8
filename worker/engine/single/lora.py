"""Linear layers of the frozen base that add the current slot's adapter: y = x Wᵀ + b + s · d(x) Aᵀ Bᵀ.

LoRA, arXiv 2106.09685; names, initialisation and scaling as in PEFT, so that an exported adapter loads there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformer_dropout.masks import VectorKeep

from worker.engine.single.drops import apply_keep

if TYPE_CHECKING:
    from worker.engine.pass_state import Stage


@dataclass(frozen=True)
class Adapter:
    """One slot's pair for one linear layer: `down` [r, in], `up` [out, r], both in the compute dtype."""

    down: Tensor
    up: Tensor
    scaling: float


class LoraProduct(torch.autograd.Function):
    """The whole product in one node of the graph; the frozen weight gets no gradient and nothing is saved for it."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        scaling: float,
        kept: VectorKeep | None,
    ) -> Tensor:
        """x [N, in], weight [out, in], kept: what is dropped from the adapter's input."""
        dropped = x if kept is None else apply_keep(x, kept)
        inner = (dropped @ down.t()).mul_(scaling)
        ctx.save_for_backward(x, weight, down, up, inner)
        ctx.scaling, ctx.kept = scaling, kept
        return F.linear(x, weight, bias).addmm_(inner, up.t())

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, down and up."""
        (grad,) = grads
        x, weight, down, up, inner = ctx.saved_tensors
        kept = ctx.kept
        grad_inner = (grad @ up).mul_(ctx.scaling)
        dropped = x if kept is None else apply_keep(x, kept)
        grad_down = grad_inner.t() @ dropped
        grad_up = grad.t() @ inner
        grad_x = None
        if ctx.needs_input_grad[0]:
            through = grad_inner @ down
            grad_x = torch.addmm(through if kept is None else apply_keep(through, kept), grad, weight)
        return grad_x, None, None, grad_down, grad_up, None, None


class Target:
    """A linear layer of the base that gets adapters; what it adds is read from the stage at every call.

    The module stays what it is, under its name; only its forward is replaced. `weight` is [out, in]: the layer's own,
    or a transposed view of GPT-2's `Conv1D`.
    """

    def __init__(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int, stage: Stage) -> None:
        """ordinal: number among all targets; place: number among those of its layer."""
        self.module, self.name, self.ordinal, self.layer, self.place = module, name, ordinal, layer, place
        weight = module.get_parameter("weight")
        self.weight = weight if isinstance(module, nn.Linear) else weight.t()
        self.bias: Tensor | None = getattr(module, "bias", None)
        self._stage = stage
        module.forward = self.forward  # torch calls the instance's own

    @property
    def shape(self) -> tuple[int, int]:
        """(out, in) of the layer."""
        out, into = self.weight.shape
        return int(out), int(into)

    def release(self) -> None:
        """Give the module its own forward back."""
        del self.module.forward

    def forward(self, x: Tensor) -> Tensor:
        """x [..., in] to [..., out]."""
        stage = self._stage
        adapter = stage.adapters[self.ordinal] if stage.adapters is not None else None
        if adapter is None:
            return F.linear(x, self.weight, self.bias)
        flat = x.reshape(-1, x.shape[-1])
        drops = stage.drops
        kept = None if drops is None else drops.adapter_input(self.layer, self.place, flat.shape[-1])
        rank = adapter.down.shape[0]
        by_rank = None if drops is None else drops.adapter_rank(self.layer, self.place, rank)
        if by_rank is None:
            y: Tensor = LoraProduct.apply(  # type: ignore[no-untyped-call]  # torch ships it without types
                flat, self.weight, self.bias, adapter.down, adapter.up, adapter.scaling, kept
            )
        else:
            read = flat if kept is None else apply_keep(flat, kept)
            inner = apply_keep(read @ adapter.down.t() * adapter.scaling, by_rank)
            y = F.linear(flat, self.weight, self.bias) + inner @ adapter.up.t()
        return y.view(*x.shape[:-1], -1)
