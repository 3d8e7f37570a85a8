"""Linear layers of the frozen base with every lane's adapter: one product for the base, batched ones for the rest."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from worker.engine.stacked.drops import Part, StackPass, dropped
from worker.engine.target import Target


class StackedProduct(torch.autograd.Function):
    """The whole product in one node of the graph; the frozen weight gets no gradient and nothing is saved for it."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        down: Tensor,
        up: Tensor,
        scaling: Tensor,
        kept: Sequence[Part],
        by_rank: Sequence[Part],
    ) -> Tensor:
        """x [A, N, in], weight [out, in]; kept, by_rank: what is dropped from the adapters' input and inner vector."""
        read = dropped(x, kept)
        inner = dropped(torch.bmm(read, down.transpose(1, 2)).mul_(scaling), by_rank)
        ctx.save_for_backward(x, weight, down, up, inner, scaling)
        ctx.kept, ctx.by_rank = kept, by_rank
        return F.linear(x, weight, bias).baddbmm_(inner, up.transpose(1, 2))

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        """Gradients of x, down and up."""
        grad = grads[0].contiguous()
        x, weight, down, up, inner, scaling = ctx.saved_tensors
        grad_inner = dropped(torch.bmm(grad, up).mul_(scaling), ctx.by_rank)
        grad_down = torch.bmm(grad_inner.transpose(1, 2), dropped(x, ctx.kept))
        grad_up = torch.bmm(grad.transpose(1, 2), inner)
        grad_x = None
        if ctx.needs_input_grad[0]:
            through = torch.bmm(grad_inner, down)
            for part in ctx.kept:
                part.apply_(through)
            flat = through.view(-1, through.shape[-1])
            grad_x = torch.addmm(flat, grad.view(-1, grad.shape[-1]), weight).view(x.shape)
        return grad_x, None, None, grad_down, grad_up, None, None, None


class StackTarget(Target):
    """A linear layer of the base that gets the adapters of all lanes."""

    def __init__(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int, state: StackPass) -> None:
        super().__init__(module, name, ordinal, layer, place)
        self._state = state

    def forward(self, x: Tensor) -> Tensor:
        """x [A, N, in] or [A·N, in] to the same with out."""
        state = self._state
        if state.adapters is None:
            return F.linear(x, self.weight, self.bias)
        adapters, drops = state.adapters[self.ordinal], state.drops
        by_lane = x.reshape(adapters.down.shape[0], -1, x.shape[-1])
        kept = [] if drops is None else drops.adapter_input(self.layer, self.place, x.shape[-1])
        by_rank = [] if drops is None else drops.adapter_rank(self.layer, self.place, adapters.down.shape[1])
        y: Tensor = StackedProduct.apply(  # type: ignore[no-untyped-call]  # torch ships it without types
            by_lane, self.weight, self.bias, adapters.down, adapters.up, adapters.scaling, kept, by_rank
        )
        return y.view(*x.shape[:-1], -1)
