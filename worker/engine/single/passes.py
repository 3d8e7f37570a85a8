"""Passes of one slot through the frozen base model, on one packed batch."""

from collections.abc import Mapping, Sequence

from torch import Tensor, nn

from worker.engine.batches import Batch, Reading
from worker.engine.hooked_base import HookedBase
from worker.engine.hooks import Hooked, hook
from worker.engine.packing import Packed
from worker.engine.pass_state import Adapter
from worker.engine.single import attention
from worker.engine.single.drops import Drops, SinglePass
from worker.engine.single.encoder.encoder import Encoder
from worker.engine.single.encoder.weights import fits
from worker.engine.single.lora import SingleTarget
from worker.engine.target import Target


class Host(HookedBase):
    """One base model, run for one slot after the other. by_hand: take the hand-written path where the model fits it."""

    def __init__(
        self,
        model: nn.Module,
        reading: Reading,
        targets: Sequence[str],
        head: Sequence[str],
        by_hand: bool = True,
    ) -> None:
        self._state = SinglePass()
        self._by_hand = by_hand and reading.task != "causal_lm" and fits(model)
        self.encoder: Encoder | None = None
        super().__init__(model, reading, targets, head)

    def _enter(self) -> Hooked:
        return hook(self.model, self._state, attention.NAME, attention.packed_attention)

    def _target(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int) -> Target:
        return SingleTarget(module, name, ordinal, layer, place, self._state)

    def retarget(self, names: Sequence[str]) -> bool:
        """The same, with the hand-written path around the new layers."""
        changed = super().retarget(names)
        if changed and self._by_hand:
            self.encoder = Encoder(self.model, self.body, self.targets, self._state, self._first_position)
        return changed

    def features(self, batch: Batch, adapters: Sequence[Adapter] | None, drops: Drops | None) -> Tensor:
        """The base model's last hidden state at the judged places, [U, E]."""
        if self.encoder is not None and adapters is not None:
            return self.encoder.features(batch, adapters, drops)
        hidden = self._run(batch.packed, adapters, drops)
        return hidden.index_select(0, batch.places)

    def logits(self, features: Tensor, tensors: Mapping[str, Tensor], drops: Drops | None) -> Tensor:
        """Logits [U, C] fp32 of `features` with a slot's head `tensors`."""
        self._state.drops = drops
        try:
            return self.head(features, tensors)
        finally:
            self._state.drops = None

    def _run(self, packed: Packed, adapters: Sequence[Adapter] | None, drops: Drops | None) -> Tensor:
        state, layout = self._state, packed.layout
        state.layout, state.adapters, state.drops = layout, adapters, drops
        given = dict(self._extra)
        if packed.token_type_ids is not None and self.hooked.segments:
            given["token_type_ids"] = packed.token_type_ids
        positions = layout.positions[None] + self._first_position
        try:
            output = self.body(input_ids=packed.input_ids, position_ids=positions, **given)
        finally:
            state.layout, state.adapters, state.drops = None, None, None
        hidden: Tensor = output.last_hidden_state
        return hidden[0]
