"""Linear layers of the frozen base that add the current slot's adapter: y = x Wᵀ + b + s · d(x) Aᵀ Bᵀ.

LoRA, arXiv 2106.09685; names, initialisation and scaling as in PEFT, so that an exported adapter loads there.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from transformer_dropout.masks import VectorKeep

from worker.engine.single.drops import SinglePass, apply_keep
from worker.engine.target import Target


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


class SingleTarget(Target):
    """A linear layer of the base that gets the adapter of one slot at a time."""

    def __init__(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int, state: SinglePass) -> None:
        super().__init__(module, name, ordinal, layer, place)
        self._state = state

    def forward(self, x: Tensor) -> Tensor:
        """x [..., in] to [..., out]."""
        state = self._state
        if state.adapters is None:
            return F.linear(x, self.weight, self.bias)
        adapter = state.adapters[self.ordinal]
        flat = x.reshape(-1, x.shape[-1])
        drops = state.drops
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
