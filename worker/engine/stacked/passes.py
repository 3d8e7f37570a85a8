"""Passes of all lanes at once through the frozen base model, on one batch."""

from collections.abc import Mapping, Sequence
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from backend.shared.errors import TrainingError
from backend.shared.run_status import FailureCode
from worker.engine.batches import Reading
from worker.engine.hooked_base import HookedBase
from worker.engine.hooks import Hooked, hook
from worker.engine.pass_state import LaneAdapters
from worker.engine.stacked import attention
from worker.engine.stacked.drops import StackDrops, StackPass
from worker.engine.stacked.layout import LaneBatch
from worker.engine.stacked.lora import StackTarget
from worker.engine.target import Target


class StackHost(HookedBase):
    """One base model on any device, run for all slots of a stack; passes go through `lanes` and `heads`."""

    def __init__(self, model: nn.Module, reading: Reading, targets: Sequence[str], head: Sequence[str]) -> None:
        self._state = StackPass()
        super().__init__(model, reading, targets, head)
        config = getattr(model, "config", None)
        if getattr(config, "attn_logit_softcapping", None):
            raise TrainingError(
                FailureCode.BAD_INPUT, "This model bounds its attention logits, which the GPU form cannot do."
            )
        for linear in {name.rpartition(".")[0] for name in head}:
            module = model.get_submodule(linear)
            if not isinstance(module, nn.Linear):
                raise TrainingError(
                    FailureCode.BAD_INPUT,
                    f"The head's {linear} is a {type(module).__name__}; the GPU form trains linear layers only.",
                )
            module.forward = partial(_lane_linear, module)  # type: ignore[method-assign]  # torch calls the instance's own
        self._no_mask = torch.zeros(1, 1, 1, 1, device=self.device)  # four dimensions: transformers leaves it alone

    def _enter(self) -> Hooked:
        return hook(self.model, self._state, attention.NAME, attention.stacked_attention)

    def _target(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int) -> Target:
        return StackTarget(module, name, ordinal, layer, place, self._state)

    def lanes(self, read: LaneBatch, adapters: Sequence[LaneAdapters], drops: StackDrops | None) -> Tensor:
        """The base model's last hidden state at the judged places of every lane, [A, U, E]."""
        state = self._state
        count = adapters[0].down.shape[0]
        given = dict(self._extra)
        if read.token_type_ids is not None and self.hooked.segments:
            given["token_type_ids"] = read.token_type_ids.expand(count, -1)
        state.layout, state.adapters, state.drops = read.layout, adapters, drops
        try:
            output = self.body(
                input_ids=read.input_ids.expand(count, -1),
                position_ids=(read.layout.place_of + self._first_position).expand(count, -1),
                attention_mask=self._no_mask,
                **given,
            )
        finally:
            state.layout, state.adapters, state.drops = None, None, None
        hidden: Tensor = output.last_hidden_state
        return hidden.index_select(1, read.places)

    def heads(self, features: Tensor, tensors: Mapping[str, Tensor], drops: StackDrops | None) -> Tensor:
        """Logits [A, U, C] fp32 of features [A, U, E]; tensors: the lanes' heads by name, each [A, ...]."""
        lanes, units, width = features.shape
        self._state.drops = drops
        try:
            return self.head(features.reshape(lanes * units, width), tensors).view(lanes, units, -1)
        finally:
            self._state.drops = None


def _lane_linear(module: nn.Linear, x: Tensor) -> Tensor:
    """A linear layer of the head whose weight may stand for all lanes, [A, out, in]: x [A·U, in] or [A·U, 1, in]."""
    weight, bias = module.weight, module.bias
    if weight.dim() == 2:
        return F.linear(x, weight, bias)
    by_lane = x.reshape(weight.shape[0], -1, x.shape[-1])
    y = torch.bmm(by_lane, weight.transpose(1, 2))
    if bias is not None:
        y = y + bias[:, None, :]
    return y.view(*x.shape[:-1], -1)
