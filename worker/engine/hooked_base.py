"""The frozen base model as the engine uses it: hooked once, then run for any slot on any packed batch."""

from collections.abc import Mapping, Sequence
from functools import partial

from torch import Tensor, nn

from worker.engine.batches import Batch, Reading
from worker.engine.flops import base_weights
from worker.engine.head import Head
from worker.engine.hooks import Hooked, hook, make_targets
from worker.engine.packing import Packed
from worker.engine.parameters import Parameters, Shape
from worker.engine.pass_state import Stage
from worker.engine.single import attention
from worker.engine.single.drops import Drops
from worker.engine.single.encoder.encoder import Encoder
from worker.engine.single.encoder.weights import fits
from worker.engine.single.lora import Adapter, Target


class Host:
    """One base model with the hooks of one choice of target modules.

    model: a stock transformers model; it is put in evaluation mode and frozen for good.  targets: names of the linear
    layers that get adapters.  head: names of the parameters that every slot trains a copy of.  by_hand: take the
    hand-written path where the model fits it.
    """

    def __init__(
        self,
        model: nn.Module,
        reading: Reading,
        targets: Sequence[str],
        head: Sequence[str],
        by_hand: bool = True,
    ) -> None:
        self.by_hand = by_hand
        self.model, self.reading = model.eval().requires_grad_(False), reading
        self.body: nn.Module = getattr(model, str(getattr(model, "base_model_prefix", "")), model)
        self.stage = Stage()
        self.head_names = tuple(head)
        self.hooked: Hooked = self._enter()
        self.head = Head(model, self.body, reading.task, self.head_names)
        parameter = next(self.body.parameters())
        self.dtype, self.device = parameter.dtype, parameter.device
        self._starts = _first_position(self.body)
        self.targets: tuple[Target, ...] = ()
        self.retarget(targets)
        self.base_weights = base_weights(model)
        self._extra = {"use_cache": False} if self.hooked.decoder else {}

    def _enter(self) -> Hooked:
        attention.register()
        return hook(self.model, self.stage, partial(attention.attach, stage=self.stage), attention.NAME)

    def _target(self, module: nn.Module, name: str, ordinal: int, layer: int, place: int) -> Target:
        return Target(module, name, ordinal, layer, place, self.stage)

    def retarget(self, names: Sequence[str]) -> None:
        """Put the adapters on other layers; slots made before must not be used any more."""
        if tuple(target.name for target in self.targets) == tuple(names):
            return
        for old in self.targets:
            old.release()
        self.targets = make_targets(self.model, names, self._target)
        fast = self.by_hand and self.reading.task != "causal_lm" and fits(self.model)
        self.encoder = Encoder(self.model, self.body, self.targets, self.stage, self._starts) if fast else None

    def shapes(self, rank: int) -> list[Shape]:
        """What a slot of this rank trains."""
        found: list[Shape] = []
        for place in self.targets:
            out, into = place.shape
            found.append(Shape(f"{place.name}.lora_A.weight", (rank, into), "kaiming"))
            found.append(Shape(f"{place.name}.lora_B.weight", (out, rank), "zero"))
        config = getattr(self.model, "config", None)
        spread = float(getattr(config, "initializer_range", 0.02) or 0.02)
        for name in self.head_names:
            sizes = tuple(self.model.get_parameter(name).shape)
            start = "normal" if len(sizes) > 1 else "zero"
            found.append(Shape(name, sizes, start, spread, in_adapter=False))
        return found

    def adapters(self, parameters: Parameters, scaling: float) -> tuple[Adapter, ...]:
        """The adapters of a slot, one a target."""
        return tuple(
            Adapter(
                parameters.leaf(f"{place.name}.lora_A.weight"), parameters.leaf(f"{place.name}.lora_B.weight"), scaling
            )
            for place in self.targets
        )

    def features(self, batch: Batch, adapters: Sequence[Adapter] | None, drops: Drops | None) -> Tensor:
        """The base model's last hidden state at the judged places, [U, E]."""
        if self.encoder is not None and adapters is not None:
            return self.encoder.features(batch, adapters, drops)
        hidden = self._run(batch.packed, adapters, drops)
        return hidden.index_select(0, batch.places)

    def logits(self, features: Tensor, tensors: Mapping[str, Tensor], drops: Drops | None) -> Tensor:
        """Logits [U, C] fp32 of `features` with a slot's head `tensors`."""
        self.stage.drops = drops
        try:
            return self.head(features, tensors)
        finally:
            self.stage.drops = None

    def _run(self, packed: Packed, adapters: Sequence[Adapter] | None, drops: Drops | None) -> Tensor:
        stage, layout = self.stage, packed.layout
        stage.layout, stage.adapters, stage.drops = layout, adapters, drops
        given = dict(self._extra)
        if packed.token_type_ids is not None and self.hooked.segments:
            given["token_type_ids"] = packed.token_type_ids  # type: ignore[assignment]  # keyword arguments of any kind
        try:
            output = self.body(input_ids=packed.input_ids, position_ids=layout.positions[None] + self._starts, **given)
        finally:
            stage.layout, stage.adapters, stage.drops = None, None, None
        hidden: Tensor = output.last_hidden_state
        return hidden[0]


def _first_position(body: nn.Module) -> int:
    """Number of a row's first position: RoBERTa's start behind the padding id."""
    embeddings = getattr(body, "embeddings", None)
    if embeddings is None or not hasattr(embeddings, "create_position_ids_from_input_ids"):
        return 0
    return int(embeddings.padding_idx) + 1
